"""The command line: one function for each command, with its options and its help.

Exit status of every command: 0 success, 1 a measurement or a check failed, 2 the command cannot run with this input or
on this machine (the message says why), 130 interrupted.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from testbed.cli import completion
from testbed.cli.options import (
    RUN_HELP,
    RUNS,
    Alone,
    ExperimentPath,
    Experiments,
    Json,
    LatestRun,
    OnlyTrials,
    Parameters,
    Quiet,
    RunName,
    RunNames,
    Runs,
    Settings,
    Target,
    Version,
)
from testbed.cli.pcap.commands import pcap
from testbed.cli.terminal.colours import may_colour
from testbed.cli.terminal.complaints import complain
from testbed.errors import ExplainedError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"], "color": None if may_colour() else False},
)


app.add_typer(pcap, name="pcap")


@app.callback()
def testbed(version: Version = False) -> None:  # noqa: PT028
    """Measure peer-to-peer file distribution on an emulated network with real sockets."""


@app.command(short_help="Run an experiment and report its results.")
def run(
    experiment: ExperimentPath,
    runs: Runs = RUNS,
    settings: Settings = None,
    only: OnlyTrials = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start a new run even if there is an unfinished one.")] = False,
    redo_suspect: Annotated[
        bool,
        typer.Option("--redo-suspect", help="Repeat the suspect trials of the latest run, and keep the old results."),
    ] = False,
    redo_failed: Annotated[
        bool, typer.Option("--redo-failed", help="Repeat the trials of the latest run in which a program failed.")
    ] = False,
    quiet: Quiet = False,
    force: Annotated[
        bool, typer.Option("--force", help="Run even what needs more than this machine seems to have.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print events as JSON, one object per line.")] = False,
) -> None:
    """Run the trials of an experiment one after another. Tables, figures and traces go into a run folder.

    Run the same command again to resume an unfinished run; if the file has changed, a new run starts. Press Ctrl-C
    once to stop after the current trial, and twice to stop immediately and discard that trial; while a network is
    being built, once is enough. The exit status is 1 if a trial failed or has no result, or an expectation of the file
    does not hold; with --only, if a trial that it names failed or has no result.
    """
    from testbed.cli.run import RunOptions, run_experiment

    redo = [verdict for verdict, is_asked in (("suspect", redo_suspect), ("failed", redo_failed)) if is_asked]
    raise typer.Exit(
        run_experiment(
            experiment,
            runs,
            RunOptions(settings or [], only or [], fresh, redo, force, quiet, json_lines=json),
        )
    )


@app.command(short_help="Check experiment files.")
def check(
    experiments: Experiments,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Check experiment files. Every error is listed with its line and column, and makes the exit status 2."""
    from testbed.cli.check import check_experiments

    raise typer.Exit(check_experiments(experiments, settings or [], json=json))


@app.command(short_help="List the trials of an experiment, and estimate their duration.")
def plan(
    experiment: ExperimentPath,
    runs: Runs = RUNS,
    settings: Settings = None,
    json: Annotated[bool, typer.Option("--json", help="Print the complete plan as JSON.")] = False,
) -> None:
    """List the trials of an experiment with their bounds and estimated durations, without running them.

    Below the table (with --json: on stderr) are warnings about trials that this machine may not emulate faithfully,
    and what it cannot run at all; then the exit status is 1.
    """
    from testbed.cli.plan import show_plan

    raise typer.Exit(show_plan(experiment, runs, settings or [], json=json))


@app.command("try", short_help="Perform one trial in virtual time, in seconds and without root.")
def try_trial(
    experiment: ExperimentPath,
    settings: Settings = None,
    trial: Annotated[
        str | None,
        typer.Option(
            "--trial", metavar="TRIAL", help="Its number in the plan, or a part of its id (default: the first)."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="Draw with this seed instead of the file's `seed:`.")
    ] = None,
    quiet: Quiet = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Perform one trial in virtual time: the same strategies on links of arithmetic, without a network.

    It shows when each peer completes, and if a strategy fails, whose it is and the line. Only a measured trial
    (`testbed run`) has TCP, queues and the load of a machine. The exit status is 1 if a strategy fails.
    """
    from testbed.cli.trying import try_experiment

    raise typer.Exit(try_experiment(experiment, settings or [], trial, seed, quiet=quiet, json=json))


@app.command(short_help="Print the JSON Schema of experiment files.")
def schema() -> None:
    """Print the JSON Schema of experiment files, which editors use to complete and check them."""
    from testbed.cli.check import print_schema

    print_schema()


@app.command(short_help="Make the tables and figures of a run again.")
def report(
    run: RunName,
    runs: Runs = RUNS,
    parquet: Annotated[bool, typer.Option("--parquet", help="Also write the tables as Parquet.")] = False,
    with_suspect: Annotated[
        bool, typer.Option("--with-suspect", help="Include suspect trials in summary, figures and expectations.")
    ] = False,
    experiment: Annotated[
        Path | None,
        typer.Option("--experiment", metavar="FILE", help="Take figures and expectations from this file instead."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only problems.")] = False,
) -> None:
    """Rebuild the tables and figures of a run from the files of its trials.

    The exit status is 1 if trials are missing, failed or damaged, an expectation does not hold, or a figure cannot be
    drawn.
    """
    from testbed.cli.report import declared_in, make_report
    from testbed.cli.runs.naming import run_named

    declared = declared_in(experiment) if experiment is not None else None
    folder = run_named(run, runs)
    raise typer.Exit(make_report(folder, declared=declared, parquet=parquet, with_suspect=with_suspect, quiet=quiet))


@app.command(short_help="Compare the traces of a run with its captures.")
def audit(
    run: RunName,
    runs: Runs = RUNS,
    trial: Annotated[
        list[str] | None,
        typer.Option(
            "--trial", metavar="TRIAL", help="Audit only this trial (can be repeated): its number, or a part of its id."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Compare what the programs' traces say with what was captured at their hosts: counts, order, and times.

    Differences that have a reason are counted by it. The exit status is 1 if there is one without: it is listed with
    its line in the trace and its packet in the capture.
    """
    from testbed.cli.audit import show_audit

    raise typer.Exit(show_audit(run, runs, trial or [], json=json))


@app.command(short_help="Compare runs of one experiment.")
def compare(
    names: RunNames,
    runs: Runs = RUNS,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="KEY", help="Compare the values of a swept key within one run, with the first."),
    ] = None,
    measures: Annotated[
        list[str] | None,
        typer.Option(
            "--measure",
            metavar="COLUMN",
            help="Compare this column of trials.csv or groups.csv (can be repeated; default: the task's own).",
        ),
    ] = None,
    margin: Annotated[
        str, typer.Option("--margin", metavar="PERCENT", help="A change that is certainly smaller counts as none.")
    ] = "5%",
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-if",
            metavar="CONDITION",
            help="Exit with 1 if a ratio to the first run is beyond a bound, as in 'distribution_s > 1.05' (can be"
            " repeated).",
        ),
    ] = None,
    fail_if_undecided: Annotated[
        bool, typer.Option("--fail-if-undecided", help="Exit with 1 also if a ratio may be beyond its bound.")
    ] = False,
    with_suspect: Annotated[bool, typer.Option("--with-suspect", help="Include suspect trials.")] = False,
    unpaired: Annotated[
        bool, typer.Option("--unpaired", help="Compare trials with the same draws as if they had nothing in common.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write the comparison as a page.")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print a row for each comparison as CSV.")] = False,
    json: Json = False,
) -> None:
    """Compare runs of one experiment with the first of them: on two commits, machines or clients, for example.

    Each point of the sweep is different, equivalent within a margin, or undecided. The exit status is 1 if a condition
    of --fail-if holds with confidence at a point; if more of its trials failed or gave no value than before; or if no
    point has enough repetitions to judge it.
    """
    from testbed.cli.runs.comparing import CompareOptions, compare_runs
    from testbed.cli.runs.naming import run_named

    options = CompareOptions(
        by=by,
        measures=measures or [],
        margin=margin,
        fail_if=fail_if or [],
        fail_if_undecided=fail_if_undecided,
        with_suspect=with_suspect,
        unpaired=unpaired,
        html=html,
        as_csv=csv,
        as_json=json,
    )
    raise typer.Exit(compare_runs([run_named(name, runs) for name in names], options))


@app.command(short_help="Grade submissions of an assignment by their runs.")
def grade(
    marking: Annotated[Path, typer.Argument(metavar="MARKING", help="A file with questions, points and expectations.")],
    submissions: Annotated[
        list[Path], typer.Argument(metavar="EXPERIMENT", help="The experiment files that were handed in.")
    ],
    runs: Runs = RUNS,
    run: Annotated[
        Path | None,
        typer.Option("--run", metavar="RUN", help="The run to grade (default: the latest of the file's trials)."),
    ] = None,
    settings: Settings = None,
    with_suspect: Annotated[
        bool, typer.Option("--with-suspect", help="Grade a run even if some of its trials are suspect.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print a row for each question as CSV.")] = False,
    json: Json = False,
) -> None:
    """Grade submissions: experiment files that were made from the starting file of an assignment, and were run.

    The exit status is 1 if a submission has not passed, or cannot be graded: if trials are missing, suspect or failed,
    or if it changes more of the starting file than its marking allows.
    """
    from testbed.cli.grade import GradeOptions, grade_submissions

    options = GradeOptions(runs, run, settings or [], with_suspect, as_csv=csv, as_json=json)
    raise typer.Exit(grade_submissions(marking, submissions, options))


@app.command("runs", short_help="List the runs.")
def list_runs(runs: Runs = RUNS, json: Json = False) -> None:
    """List the runs: when they began, their trials and verdicts, the expectations that hold, and their sizes."""
    from testbed.cli.runs.listing import show_runs

    show_runs(runs, json=json)


@app.command("open", short_help="Open the page of a run, or its figures.")
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


@app.command(short_help="Serve the pages of runs, which change while trials end.")
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
    from testbed.cli.serve import serve_runs

    serve_runs(run, runs, port=port, bind=bind, opens=opens)


@app.command(short_help="Remove leftovers and old runs.")
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


@app.command(short_help="Measure the links of a network.")
def links(
    target: Target,
    parameters: Parameters = None,
    seconds: Annotated[
        float,
        typer.Option(metavar="S", min=0.2, max=3600, help="Duration of each measurement, after its first second."),
    ] = 2.0,
    alone: Annotated[
        Alone, typer.Option(help="Also measure separately: one direction of each kind of link, all, or none.")
    ] = Alone.KINDS,
    streams: Annotated[
        int, typer.Option(metavar="N", min=1, max=100, help="Number of TCP streams in each direction.")
    ] = 1,
    tolerance: Annotated[
        float, typer.Option(metavar="PERCENT", min=0.0, max=100.0, help="Allowed error of the steady rate.")
    ] = 2.0,
    csv: Annotated[bool, typer.Option("--csv", help="Print all measured values as CSV.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print all measured values as JSON.")] = False,
    quiet: Quiet = False,
) -> None:
    """Measure every link with real TCP, in both directions, and compare the results with the requested values.

    The exit status is 1 if a steady rate, a delay or a loss is out of tolerance.
    """
    from testbed.cli.network.links import show_links

    raise typer.Exit(
        show_links(
            target,
            parameters or [],
            seconds=seconds,
            alone=alone.value,
            streams=streams,
            tolerance=tolerance / 100,
            csv=csv,
            json=json,
            quiet=quiet,
        )
    )


@app.command()
def shell(
    target: Target,
    parameters: Parameters = None,
    command: Annotated[
        list[str] | None,
        typer.Option("--command", "-c", metavar="LINE", help="Run this line, then exit (can be repeated)."),
    ] = None,
) -> None:
    """Open Mininet's command line in a network. Try pingall, h1 tcpdump ..., xterm h1, exit."""
    from testbed.cli.network.shell import open_shell

    raise typer.Exit(open_shell(target, parameters or [], command or []))


@app.command()
def topologies(
    reference: Annotated[
        str | None,
        typer.Argument(
            metavar="TOPOLOGY", help="List the parameters of this topology.", autocompletion=completion.topologies
        ),
    ] = None,
) -> None:
    """List the shipped topologies, or the parameters of one."""
    from testbed.cli.network.targets import show_topologies

    show_topologies(reference)


@app.command()
def experiments(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Print the path of this experiment.", autocompletion=completion.shipped),
    ] = None,
) -> None:
    """List the shipped experiments, or print the path of one."""
    from testbed.cli.experiments import show_experiments

    show_experiments(name)


@app.command()
def doctor(
    json: Json = False,
    capacity: Annotated[
        bool, typer.Option(help="Measure how much traffic the machine can carry, unless this is known.")
    ] = True,
    again: Annotated[bool, typer.Option("--again", help="Measure the capacity even if it is known.")] = False,
) -> None:
    """Check this machine, and measure its capacity.

    The checks cover kernel features, limits, tools and versions; the capacity is the traffic that the core can carry.
    The exit status is 1 if anything that is required is missing.
    """
    from testbed.cli.doctor import show_doctor

    raise typer.Exit(show_doctor(json=json, capacity=capacity, again=again))


def main() -> None:
    """Run the `testbed` command."""
    try:
        app(prog_name="testbed")
    except ExplainedError as error:
        complain(str(error))
        sys.exit(2)
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        complain(f"{error.strerror or error}{where}")
        sys.exit(2)
