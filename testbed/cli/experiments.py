"""Experiment files: those that a command line names, and those that come with the testbed (`testbed experiments`)."""

import importlib.metadata
import re
import sys
from pathlib import Path

from testbed.errors import ExplainedError
from testbed.experiment import ExperimentFile, read_experiment
from testbed.values.findings import did_you_mean

EXPERIMENT_SUFFIXES = {".yaml", ".yml"}


def open_experiment(path: Path) -> ExperimentFile:
    """Read the file, or the shipped experiment of this name, and print hints about old keys on stderr."""
    file = read_experiment(shipped_experiment(path) or path)
    for hint in file.hints:
        print(f"testbed: {hint}", file=sys.stderr)
    return file


def shipped_experiment(path: Path) -> Path | None:
    """Return the shipped experiment of this name; None if there is none, or if a file of this name exists."""
    if path.exists() or path.name != str(path) or path.suffix not in {"", *EXPERIMENT_SUFFIXES}:
        return None
    found = _folder() / f"{path.stem}.yaml"
    return found if found.is_file() else None


def show_experiments(name: str | None) -> None:
    """List the shipped experiments with their titles, or print the path of one."""
    files = {file.stem: file for file in sorted(_folder().glob("*.yaml"))}
    if name is not None:
        print(_path_of(name, files))
        return
    width = max(map(len, files))
    for stem, file in files.items():
        print(f"{stem:{width}} {_title(file)}")
    print("\n`testbed experiments NAME` prints its path; commands take the name too: sudo testbed run quickstart")


def _path_of(name: str, files: dict[str, Path]) -> Path:
    if name not in files:
        raise ExplainedError(f"no experiment {name!r} comes with the testbed{did_you_mean(name, files)}")
    return files[name]


def _title(file: Path) -> str:
    """The file is not parsed for it: that would cost seconds for all of them."""
    found = re.search(r"^title: *(.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else ""


def _folder() -> Path:
    """A wheel's data files are where its record says; a clone, also one installed as editable, has them in its root."""
    for file in importlib.metadata.files("testbed") or ():
        if file.match("share/testbed/experiments/*.yaml"):
            return Path(str(file.locate())).resolve().parent
    return Path(__file__).parents[2] / "experiments"
