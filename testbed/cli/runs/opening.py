"""`testbed open`: the page of a run, its folder or its figures, in the programs of the desktop."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from testbed.errors import ExplainedError

_OPENER: Final = "xdg-open"
_PAGE: Final = "report.html"
_DISPLAYS: Final = ("DISPLAY", "WAYLAND_DISPLAY")


def open_run(run: Path, *, figures: bool) -> None:
    """Open the page of a run, or its folder if there is none, or its figures; without a display, print the paths."""
    if not _has_display():
        _print(run, _figures(run) if figures else [run])
        return
    for path in _figures(run) if figures else [_page(run) or run]:
        _open(path)


def open_address(address: str) -> None:
    """Open an address in the desktop's browser, if there is a display. It may run on, so it is not awaited."""
    if _has_display():
        nowhere = subprocess.DEVNULL
        subprocess.Popen([_OPENER, address], stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True)


def _page(run: Path) -> Path | None:
    page = run / _PAGE
    return page if page.is_file() else None


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
    """Print the paths; of a folder, also those of its page, tables and figures."""
    found = [*sorted(run.glob(_PAGE)), *sorted(run.glob("*.csv")), *sorted((run / "figures").glob("*.pdf"))]
    inside = found if run in paths else []
    for path in (*paths, *inside):
        print(path)
