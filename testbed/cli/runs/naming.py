"""The run that a command line names."""

from pathlib import Path

from testbed.errors import ExplainedError
from testbed.runfolder.overview import find_runs
from testbed.values.findings import did_you_mean


def run_named(name: Path | None, runs: Path) -> Path:
    """Return the folder of a run: a path, the name of a run in `runs`, or an experiment's name for its latest run.

    Without a name, it is the latest run of all.
    """
    if name is not None and (name.exists() or len(name.parts) > 1):
        return name
    found = find_runs(runs)
    if not found:
        raise ExplainedError(f"{runs} has no runs: name the folder that has them with --runs")
    if name is None:
        return found[0].path
    by_name = {run.path.name: run.path for run in found}
    by_experiment = {run.name.experiment: run.path for run in reversed(found)}
    chosen = by_name.get(str(name)) or by_experiment.get(str(name)) or by_experiment.get(name.stem)
    if chosen is None:
        hint = did_you_mean(name, [*by_experiment, *by_name])
        raise ExplainedError(f"{runs} has no run {str(name)!r}{hint}: `testbed runs` lists them")
    return chosen
