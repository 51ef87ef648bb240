"""Measure peer-to-peer systems on an emulated network, with real sockets; from a notebook or a script:

    import testbed

    run = testbed.run("experiments/quickstart.yaml")    # or testbed.open_run("runs/quickstart-20261129T120000Z")
    run.trials[["distribution", "N", "ratio"]]          # every table is a DataFrame
    run.figure("scaling")                               # a matplotlib figure

docs/notebooks.md shows more. The command line is `testbed.cli`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from testbed.errors import ExplainedError

if TYPE_CHECKING:
    from testbed.notebook import Run

__all__ = ["ExplainedError", "open_run", "run"]


# The command line imports this package too, so pandas and matplotlib are imported only by these functions.


def run(
    experiment: str | Path,
    *,
    runs: str | Path = "runs",
    fresh: bool = False,
    settings: Mapping[str, object] | None = None,
    redo_suspect: bool = False,
    redo_failed: bool = False,
    force: bool = False,
    with_suspect: bool = False,
    quiet: bool = False,
) -> "Run":
    """Run an experiment as `testbed run` does, in a process of its own, and open its results.

    `settings` give keys of the file other values, as `--set` does. An unfinished run is resumed unless `fresh`;
    `redo_suspect` and `redo_failed` measure such trials again, and `force` runs what this machine seems too small for.
    What `testbed run` would refuse raises ExplainedError. Expectations that do not hold raise nothing: look at
    `outcomes`.
    """
    from testbed.notebook import run_experiment  # noqa: PLC0415

    asked = {"--fresh": fresh, "--redo-suspect": redo_suspect, "--redo-failed": redo_failed, "--force": force}
    options = [option for option, is_asked in asked.items() if is_asked]
    path = run_experiment(Path(experiment), Path(runs), options, settings or {}, quiet=quiet)
    return open_run(path, with_suspect=with_suspect)


def open_run(path: str | Path, *, with_suspect: bool = False) -> "Run":
    """Open the results of a run folder, finished or not; suspect trials are in means only if `with_suspect`."""
    from testbed.notebook import Run  # noqa: PLC0415

    return Run.open(Path(path), with_suspect=with_suspect)
