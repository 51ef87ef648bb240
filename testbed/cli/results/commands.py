"""The commands about what a run has measured, with their options and help."""

from pathlib import Path
from typing import Annotated

import typer

from testbed.cli.options import RUNS, Json, RunName, RunNames, Runs, Settings

results_commands = typer.Typer()

By = Annotated[
    str | None,
    typer.Option("--by", metavar="KEY", help="Compare the values of a swept key within one run, with the first."),
]
Measures = Annotated[
    list[str] | None,
    typer.Option(
        "--measure",
        metavar="COLUMN",
        help="Compare this column of trials.csv or groups.csv (can be repeated; default: the task's own).",
    ),
]
Margin = Annotated[
    str, typer.Option("--margin", metavar="PERCENT", help="A change that is certainly smaller counts as none.")
]
Conditions = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-if",
        metavar="CONDITION",
        help="Exit with 1 if a ratio to the first run is beyond a bound, as in 'distribution_s > 1.05' (can be"
        " repeated).",
    ),
]
FailIfUndecided = Annotated[
    bool, typer.Option("--fail-if-undecided", help="Exit with 1 also if a ratio may be beyond its bound.")
]
Page = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Also write the comparison as a page.")]


@results_commands.command(short_help="Make the tables and figures of a run again.")
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
    from testbed.cli.results.report import declared_in, make_report
    from testbed.cli.runs.naming import run_named

    declared = declared_in(experiment) if experiment is not None else None
    folder = run_named(run, runs)
    raise typer.Exit(make_report(folder, declared=declared, parquet=parquet, with_suspect=with_suspect, quiet=quiet))


@results_commands.command(short_help="Compare the traces of a run with its captures.")
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
    from testbed.cli.results.audit import show_audit

    raise typer.Exit(show_audit(run, runs, trial or [], json=json))


@results_commands.command(short_help="Compare runs of one experiment.")
def compare(
    names: RunNames,
    runs: Runs = RUNS,
    by: By = None,
    measures: Measures = None,
    margin: Margin = "5%",
    fail_if: Conditions = None,
    fail_if_undecided: FailIfUndecided = False,
    with_suspect: Annotated[bool, typer.Option("--with-suspect", help="Include suspect trials.")] = False,
    unpaired: Annotated[
        bool, typer.Option("--unpaired", help="Compare trials with the same draws as if they had nothing in common.")
    ] = False,
    html: Page = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print a row for each comparison as CSV.")] = False,
    json: Json = False,
) -> None:
    """Compare runs of one experiment with the first of them: on two commits, machines or clients, for example.

    Each point of the sweep is different, equivalent within a margin, or undecided. The exit status is 1 if a condition
    of --fail-if holds with confidence at a point; if more of its trials failed or gave no value than before; or if no
    point has enough repetitions to judge it.
    """
    from testbed.cli.results.comparing import CompareOptions, compare_runs
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


@results_commands.command(short_help="Grade submissions of an assignment by their runs.")
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
    from testbed.cli.results.grade import GradeOptions, grade_submissions

    options = GradeOptions(runs, run, settings or [], with_suspect, as_csv=csv, as_json=json)
    raise typer.Exit(grade_submissions(marking, submissions, options))
