"""Command line: one function a command; says nothing that a library module could say.

Exit status of every command: 0 all well, 1 something was measured or found that is not as it should be,
2 the input or the machine does not allow it (the message says why), 130 interrupted.
"""

import importlib.metadata
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from testbed.errors import ExplainedError

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Target = Annotated[
    str, typer.Argument(help="star, two-isps, tree, a file like my.py, module:name, or an experiment.yaml")
]
Parameters = Annotated[list[str] | None, typer.Argument(help="the topology's parameters: n=10 up='8 Mbit/s' ...")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress lines.")]


class Alone(StrEnum):
    """Which directions are also measured one by one."""

    KINDS = "kinds"
    ALL = "all"
    NONE = "none"


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"testbed {importlib.metadata.version('testbed')}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
]


@app.callback()
def testbed(version: Version = False) -> None:  # noqa: PT028
    """Measure peer-to-peer file distribution on an emulated network, with real sockets."""


@app.command()
def run(
    experiment: Annotated[Path, typer.Argument(help="the experiment file")],
    runs: Annotated[Path, typer.Option(help="Folder for run folders.", envvar="TESTBED_RUNS")] = Path("runs"),
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin a new run, even if there is an unfinished one.")
    ] = False,
    redo_suspect: Annotated[
        bool,
        typer.Option(
            "--redo-suspect", help="Measure the suspect trials of the latest run again; the old ones are kept."
        ),
    ] = False,
    quiet: Quiet = False,
    json: Annotated[bool, typer.Option("--json", help="Print each event as a JSON object on a line.")] = False,
) -> None:
    """Run the trials of an experiment, one after the other, and keep tables, figures and traces in a run folder.

    The same command again resumes an unfinished run; a changed file begins a new one. Ctrl-C once stops after the
    present trial, twice stops now and drops it. The exit status is 1 if an expectation of the file does not hold or
    trials have no result.
    """
    from testbed.cli.run import run_experiment

    raise typer.Exit(
        run_experiment(experiment, runs, fresh=fresh, redo_suspect=redo_suspect, quiet=quiet, json_lines=json)
    )


@app.command()
def check(experiment: Annotated[Path, typer.Argument(help="the experiment file")]) -> None:
    """Say everything that is wrong with an experiment file, each with its line and column, or that nothing is."""
    from testbed.cli.check import check_experiment

    check_experiment(experiment)


@app.command()
def plan(
    experiment: Annotated[Path, typer.Argument(help="the experiment file")],
    json: Annotated[bool, typer.Option("--json", help="Print the whole plan as JSON.")] = False,
) -> None:
    """List the trials of an experiment with their bounds, and estimate what they take; nothing is run.

    What this machine may not do faithfully is told below the table (with --json, on stderr).
    """
    from testbed.cli.plan import show_plan

    show_plan(experiment, json=json)


@app.command()
def schema() -> None:
    """Print the JSON Schema of experiment files, with which an editor completes and checks them."""
    from testbed.cli.check import print_schema

    print_schema()


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="a run folder")],
    parquet: Annotated[bool, typer.Option("--parquet", help="Write the tables as Parquet too.")] = False,
    with_suspect: Annotated[
        bool, typer.Option("--with-suspect", help="Use suspect trials in summary, figures and expectations.")
    ] = False,
    experiment: Annotated[
        Path | None,
        typer.Option("--experiment", metavar="FILE", help="Take figures and expectations from this file instead."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only what is wrong.")] = False,
) -> None:
    """Make every table and figure of a run anew, from what its trials left behind.

    Exit status 1 if something is not as expected, damaged, not there yet, or could not be drawn.
    """
    from testbed.cli.report import declared_in, make_report

    declared = declared_in(experiment) if experiment is not None else None
    raise typer.Exit(make_report(run, declared=declared, parquet=parquet, with_suspect=with_suspect, quiet=quiet))


@app.command()
def links(
    target: Target,
    parameters: Parameters = None,
    seconds: Annotated[
        float, typer.Option(min=0.2, max=3600, help="Time for each measurement, after its first second.")
    ] = 2.0,
    alone: Annotated[
        Alone, typer.Option(help="Measure one by one: one direction of each kind, all, or none.")
    ] = Alone.KINDS,
    streams: Annotated[int, typer.Option(min=1, max=100, help="TCP streams in each direction.")] = 1,
    tolerance: Annotated[
        float, typer.Option(min=0.0, max=100.0, help="Allowed error of the steady rate, in percent.")
    ] = 2.0,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV with all figures.")] = False,
    quiet: Quiet = False,
) -> None:
    """Send real TCP through every link, both ways, and print what was asked against what was measured.

    Exit status 1 if a steady rate, a delay or a loss is beyond the tolerance.
    """
    from testbed.cli.links import show_links

    raise typer.Exit(
        show_links(
            target,
            parameters or [],
            seconds=seconds,
            alone=alone.value,
            streams=streams,
            tolerance=tolerance / 100,
            csv=csv,
            quiet=quiet,
        )
    )


@app.command()
def shell(
    target: Target,
    parameters: Parameters = None,
    command: Annotated[
        list[str] | None, typer.Option("--command", "-c", help="Run this line and leave (may repeat).")
    ] = None,
) -> None:
    """Open Mininet's command line inside the network: pingall, h1 tcpdump ..., xterm h1, exit."""
    from testbed.cli.shell import open_shell

    raise typer.Exit(open_shell(target, parameters or [], command or []))


@app.command()
def topologies(reference: Annotated[str | None, typer.Argument(help="a topology, for its parameters")] = None) -> None:
    """List the topologies that come with the testbed, or the parameters of one."""
    from testbed.cli.targets import show_topologies

    show_topologies(reference)


@app.command()
def experiments(name: Annotated[str | None, typer.Argument(help="one of them, for its path")] = None) -> None:
    """List the experiments that come with the testbed, or print the path of one."""
    from testbed.cli.experiments import show_experiments

    show_experiments(name)


@app.command()
def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    capacity: Annotated[bool, typer.Option(help="Measure what the machine can carry, unless it is known.")] = True,
    again: Annotated[bool, typer.Option("--again", help="Measure the capacity even if it is known.")] = False,
) -> None:
    """Check this machine: kernel features, limits, tools, versions, and how much traffic it can carry.

    Exit status 1 if something is missing without which nothing works.
    """
    from testbed.cli.doctor import show_doctor

    raise typer.Exit(show_doctor(json=json, capacity=capacity, again=again))


def main() -> None:
    """Run the `testbed` command."""
    try:
        app(prog_name="testbed")
    except ExplainedError as error:
        sys.exit(_complain(str(error)))
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        sys.exit(_complain(f"{error.strerror or error}{where}"))


def _complain(text: str) -> int:
    for line in text.splitlines():
        print(f"testbed: {line}", file=sys.stderr)
    return 2
