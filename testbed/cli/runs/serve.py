"""`testbed serve`: the pages of runs over HTTP, while they are being made."""

from pathlib import Path

from testbed.cli.results.report import extra_explained
from testbed.cli.runs.naming import run_named
from testbed.cli.runs.opening import open_address
from testbed.runfolder.folder import RunFolder
from testbed.runfolder.owners import own_runs


def serve_runs(run: Path | None, runs: Path, *, port: int, bind: str, opens: bool) -> None:
    """Serve the runs of a folder until Ctrl-C; of a run that is elsewhere, those beside it."""
    with extra_explained():
        from testbed.serving.server import Served, serve

    named = None if run is None else run_named(run, runs).resolve()
    if named is not None:
        RunFolder.open(named)  # which says what is wrong with it
    folder = runs if named is None or named.parent == own_runs(runs).resolve() else named.parent

    def ready(address: str) -> None:
        print(f"{address}\nserves the runs in {folder}; Ctrl-C ends it", flush=True)
        if opens:
            open_address(address)

    serve(Served(folder, named, bind, port), ready)
