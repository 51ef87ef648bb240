"""`testbed clean`: remove what no result needs, and runs that are no longer wanted."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from contract.wording import counted
from testbed.cli.terminal.layout import format_table
from testbed.cli.terminal.sizes import about
from testbed.runfolder.cleaning import IN_USE, Choice, Removal, foreign_runs, removals, remove
from testbed.runfolder.folder import is_locked


def clean_runs(runs: Path, choice: Choice, *, is_trial: bool) -> int:
    """Remove what is chosen, or only list it; returns 1 if something stays that should be removed."""
    chosen = list(removals(runs, choice, datetime.now(UTC)))
    if foreign := foreign_runs(runs):
        print(f"{counted(len(foreign), 'run')} of other users: left alone")
    if not chosen:
        print(f"there is nothing to remove in {runs}")
        return 0
    if is_trial:
        _list(chosen)
        return 0
    return _remove(chosen)


def _list(chosen: list[Removal]) -> None:
    in_use = {run for run in {removal.run for removal in chosen} if is_locked(run)}
    _print([(removal, "in use: left alone" if removal.run in in_use else "") for removal in chosen])
    total = about(sum(removal.bytes for removal in chosen if removal.run not in in_use))
    print(f"{total} can be removed. Nothing has been removed yet: add --remove to do it")


def _remove(chosen: list[Removal]) -> int:
    outcomes = list(remove(chosen))
    _print([(removal, why and f"stays: {why}") for removal, why in outcomes])
    print(f"removed {about(sum(removal.bytes for removal, why in outcomes if not why))}")
    return int(any(why for _, why in outcomes if why != IN_USE))


def _print(outcomes: Sequence[tuple[Removal, str]]) -> None:
    rows = [[about(removal.bytes), removal.what, str(removal.path), why] for removal, why in outcomes]
    print(format_table(("size", "what", "path", ""), rows))
