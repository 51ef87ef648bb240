"""`testbed runs`: what is in the folder of runs."""

from collections.abc import Sequence
from pathlib import Path

from contract.wording import counted
from testbed.cli.terminal.as_json import print_json
from testbed.cli.terminal.layout import format_table
from testbed.cli.terminal.sizes import about
from testbed.runfolder.overview import Overview, find_runs, overview

_VERDICTS = ("valid", "suspect", "failed")


def show_runs(runs: Path, *, json: bool) -> None:
    """List the runs of a folder, the latest first."""
    found = [overview(run) for run in find_runs(runs)]
    if json:
        print_json([run.row() for run in found])
    elif found:
        print(_table(found))
        print(f"{counted(len(found), 'run')} in {runs}, {about(sum(run.bytes for run in found))}")
    else:
        print(f"there are no runs in {runs}")


def _table(found: Sequence[Overview]) -> str:
    """Name only the verdicts that occur, and say what is special about a run behind its row."""
    verdicts = [each for each in _VERDICTS if each == "valid" or any((run.verdicts or {}).get(each) for run in found)]
    header = ["run", "began", "trials", *verdicts, "as expected", "size", ""]
    return format_table(header, [_row(run, verdicts) for run in found])


def _row(run: Overview, verdicts: Sequence[str]) -> list[str]:
    counts = ["-" if run.verdicts is None else str(run.verdicts.get(verdict, 0)) for verdict in verdicts]
    return [
        run.path.name,
        f"{run.name.began.astimezone():%Y-%m-%d %H:%M}",
        f"{run.complete}/{run.planned}" if run.planned else "-",
        *counts,
        _as_expected(run),
        about(run.bytes),
        "in use" if run.is_in_use else run.damage,
    ]


def _as_expected(run: Overview) -> str:
    if not run.expected:
        return "-"
    return f"{'?' if run.held is None else run.held}/{run.expected}"
