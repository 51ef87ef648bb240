"""The commands about the runs that there are, with their options and help."""

from pathlib import Path
from typing import Annotated

import typer

from testbed.cli import completion
from testbed.cli.options import RUN_HELP, RUNS, Json, LatestRun, Runs

runs_commands = typer.Typer()


@runs_commands.command("runs", short_help="List the runs.")
def list_runs(runs: Runs = RUNS, json: Json = False) -> None:
    """List the runs: when they began, their trials and verdicts, the expectations that hold, and their sizes."""
    from testbed.cli.runs.listing import show_runs

    show_runs(runs, json=json)


@runs_commands.command("open", short_help="Open the page of a run, or its figures.")
def open_(
    run: LatestRun = None,
    runs: Runs = RUNS,
    figures: Annotated[bool, typer.Option("--figures", help="Open the figures instead of the page.")] = False,
) -> None:
    """Open the page of a run with xdg-open, or its folder if it has none.

    Without a display, print the paths of the page, the tables and the figures.
    """
    from testbed.cli.runs.naming import run_named
    from testbed.cli.runs.opening import open_run

    open_run(run_named(run, runs), figures=figures)


@runs_commands.command(short_help="Serve the pages of runs, which change while trials end.")
def serve(
    run: Annotated[
        Path | None,
        typer.Argument(
            metavar="RUN", help=f"{RUN_HELP} Default: the list of all runs.", autocompletion=completion.runs
        ),
    ] = None,
    runs: Runs = RUNS,
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 takes any free one.")] = 8040,
    bind: Annotated[
        str,
        typer.Option(
            "--bind", metavar="ADDRESS", help="Serve other machines, too, to those who have the address with its token."
        ),
    ] = "127.0.0.1",
    opens: Annotated[bool, typer.Option("--open", help="Also open it in a browser.")] = False,
) -> None:
    """Serve the pages of runs to a browser: finished ones, and those that are being performed.

    A page changes whenever a trial ends. Nothing is written, and reading gives way to a trial on the same machine.
    Ctrl-C ends it.
    """
    from testbed.cli.runs.serve import serve_runs

    serve_runs(run, runs, port=port, bind=bind, opens=opens)


@runs_commands.command(short_help="Remove leftovers and old runs.")
def clean(
    runs: Runs = RUNS,
    suspect: Annotated[
        bool, typer.Option("--suspect", help="Remove old results of suspect trials that were measured again.")
    ] = False,
    unfinished: Annotated[bool, typer.Option("--unfinished", help="Remove runs that are not complete.")] = False,
    older_than: Annotated[
        float | None, typer.Option(metavar="DAYS", min=0, help="Remove runs that began more than so many days ago.")
    ] = None,
    keep_latest: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Remove runs older than the latest N finished ones of each experiment."),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove/--dry-run", help="Remove it, or only list it.")] = False,
) -> None:
    """List what can be removed from the folder of runs; with --remove, remove it.

    Without options, it is what killed commands have left behind. Of --unfinished, --older-than and --keep-latest, a run
    must satisfy all that are given. Runs that are in use, and runs of other users, stay.
    """
    from testbed.cli.runs.cleaning import clean_runs
    from testbed.runfolder.cleaning import Choice

    choice = Choice(suspect=suspect, unfinished=unfinished, older_than_days=older_than, keep_latest=keep_latest)
    raise typer.Exit(clean_runs(runs, choice, is_trial=not remove))
