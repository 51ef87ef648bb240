"""Experiment files named on the command line, and shipped ones (`testbed experiments`)."""

import importlib.metadata
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from testbed.cli.terminal.complaints import complain
from testbed.cli.terminal.layout import line_width, listed, wrapped
from testbed.errors import ExplainedError
from testbed.experiment import ExperimentFile, read_experiment
from testbed.values.findings import did_you_mean

_ABOUT: Final = (
    "`testbed experiments NAME` prints the path of one. Commands accept the name too: sudo testbed run quickstart"
)
EXPERIMENT_SUFFIXES: Final = {".yaml", ".yml"}
STANDARD_INPUT: Final = Path("-")


def open_experiment(path: Path, settings: Sequence[str] = ()) -> ExperimentFile:
    """Read the file, the shipped experiment of this name, or standard input; print hints about old keys on stderr.

    `settings` are `key=value`, and take the place of values in the file.
    """
    if path == STANDARD_INPUT:
        file = read_experiment("<stdin>", settings=settings, content=sys.stdin.buffer.read())
    else:
        file = read_experiment(shipped_experiment(path) or _existing(path), settings=settings)
    for hint in file.hints:
        complain(hint)
    return file


def _existing(path: Path) -> Path:
    """Refuse a name that neither a file nor a shipped experiment has."""
    if not path.exists() and _can_be_name(path):
        near = did_you_mean(path.stem, shipped_experiments())
        advice = f"nor a shipped experiment{near}: `testbed experiments` lists these"
        raise ExplainedError(f"{path}: no such file or directory, {advice}")
    return path


def shipped_experiment(path: Path) -> Path | None:
    """Return the shipped experiment of this name; None if it does not exist, or if a file has this name."""
    if path.exists() or not _can_be_name(path):
        return None
    found = _folder() / f"{path.stem}.yaml"
    return found if found.is_file() else None


def _can_be_name(path: Path) -> bool:
    return path.name == str(path) and path.suffix in {"", *EXPERIMENT_SUFFIXES}


def show_experiments(name: str | None) -> None:
    """List the shipped experiments with their titles, or print the path of one."""
    files = shipped_experiments()
    if name is not None:
        print(_path_of(name, files))
        return
    print(listed({stem: _title(file) for stem, file in files.items()}, line_width(sys.stdout)))
    print("\n" + wrapped(_ABOUT, line_width(sys.stdout), indent=0))


def shipped_experiments() -> dict[str, Path]:
    """Return the shipped experiments by their names."""
    return {file.stem: file for file in sorted(_folder().glob("*.yaml"))}


def _path_of(name: str, files: dict[str, Path]) -> Path:
    if name not in files:
        raise ExplainedError(f"there is no shipped experiment {name!r}{did_you_mean(name, files)}")
    return files[name]


def _title(file: Path) -> str:
    """Find the title by a pattern, as parsing all files would take seconds."""
    found = re.search(r"^title: *(.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else ""


def _folder() -> Path:
    """Return the folder of the shipped experiments: that of the wheel's record, or else the one in the clone."""
    for file in importlib.metadata.files("testbed") or ():
        if file.match("share/testbed/experiments/*.yaml"):
            return Path(str(file.locate())).resolve().parent
    return Path(__file__).parents[3] / "experiments"
