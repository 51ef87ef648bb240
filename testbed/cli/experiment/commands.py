"""The commands about experiment files, with their options and help."""

from typing import Annotated

import typer

from testbed.cli.options import RUNS, ExperimentPath, Experiments, Json, OnlyTrials, Quiet, Runs, Settings

experiment_commands = typer.Typer()


@experiment_commands.command(short_help="Run an experiment and report its results.")
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
    from testbed.cli.experiment.run import RunOptions, run_experiment

    redo = [verdict for verdict, is_asked in (("suspect", redo_suspect), ("failed", redo_failed)) if is_asked]
    raise typer.Exit(
        run_experiment(
            experiment,
            runs,
            RunOptions(settings or [], only or [], fresh, redo, force, quiet, json_lines=json),
        )
    )


@experiment_commands.command(short_help="Check experiment files.")
def check(
    experiments: Experiments,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Check experiment files. Every error is listed with its line and column, and makes the exit status 2."""
    from testbed.cli.experiment.check import check_experiments

    raise typer.Exit(check_experiments(experiments, settings or [], json=json))


@experiment_commands.command(short_help="List the trials of an experiment, and estimate their duration.")
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
    from testbed.cli.experiment.plan import show_plan

    raise typer.Exit(show_plan(experiment, runs, settings or [], json=json))


@experiment_commands.command("try", short_help="Perform one trial in virtual time, in seconds and without root.")
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
    from testbed.cli.experiment.trying import try_experiment

    raise typer.Exit(try_experiment(experiment, settings or [], trial, seed, quiet=quiet, json=json))


@experiment_commands.command(short_help="Print the JSON Schema of experiment files.")
def schema() -> None:
    """Print the JSON Schema of experiment files, which editors use to complete and check them."""
    from testbed.cli.experiment.check import print_schema

    print_schema()
