"""`testbed open`: the folder of a run, or its figures, in the programs of the desktop."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from testbed.errors import ExplainedError

_OPENER: Final = "xdg-open"
_DISPLAYS: Final = ("DISPLAY", "WAYLAND_DISPLAY")


def open_run(run: Path, *, figures: bool) -> None:
    """Open the folder of a run or its figures; where there is no display, print the paths."""
    paths = _figures(run) if figures else [run]
    if _has_display():
        for path in paths:
            _open(path)
    else:
        _print(run, paths)


def _figures(run: Path) -> list[Path]:
    found = sorted((run / "figures").glob("*.pdf"))
    if not found:
        raise ExplainedError(f"{run} has no figures: `testbed report` draws those that its experiment declares")
    return found


def _has_display() -> bool:
    return any(os.environ.get(name) for name in _DISPLAYS) and shutil.which(_OPENER) is not None


def _open(path: Path) -> None:
    done = subprocess.run([_OPENER, path], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ExplainedError(f"{path} cannot be opened: {done.stderr.strip() or f'{_OPENER} failed'}")
    print(path)


def _print(run: Path, paths: Sequence[Path]) -> None:
    """Print the paths; of a folder, also those of its tables and figures."""
    inside = [*sorted(run.glob("*.csv")), *sorted((run / "figures").glob("*.pdf"))] if run in paths else []
    for path in (*paths, *inside):
        print(path)
