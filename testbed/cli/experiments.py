"""Open the experiment file that a command line names."""

import sys
from importlib.resources import files
from pathlib import Path

from testbed.experiment import ExperimentFile, read_experiment

EXPERIMENT_SUFFIXES = {".yaml", ".yml"}


def open_experiment(path: Path) -> ExperimentFile:
    """Read the file, or the shipped experiment of this name, and print hints about old keys on stderr."""
    file = read_experiment(shipped_experiment(path) or path)
    for hint in file.hints:
        print(f"testbed: {hint}", file=sys.stderr)
    return file


def shipped_experiment(path: Path) -> Path | None:
    """Return the experiment that comes with the testbed and is called this; an existing file goes first."""
    if path.exists() or path.name != str(path) or path.suffix not in {"", *EXPERIMENT_SUFFIXES}:
        return None
    found = shipped_folder() / f"{path.stem}.yaml"
    return found if found.is_file() else None


def shipped_folder() -> Path:
    """Return the folder of the shipped experiments: in the installed package, or beside it in a checkout."""
    package = Path(str(files("testbed")))
    installed = package / "share" / "experiments"
    return installed if installed.is_dir() else package.parent / "experiments"
