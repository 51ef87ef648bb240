"""`testbed experiments`: the experiment files that come with the testbed, in a clone and in an installation."""

import importlib.metadata
import re
from pathlib import Path

import testbed
from testbed.errors import ExplainedError
from testbed.topology.parameters import did_you_mean


def show_experiments(name: str | None) -> None:
    """List them with their titles, or print the path of one."""
    files = {file.stem: file for file in sorted(_folder().glob("*.yaml"))}
    if name is not None:
        print(_path_of(name, files))
        return
    width = max(map(len, files))
    for stem, file in files.items():
        print(f"{stem:{width}} {_title(file)}")
    print("\n`testbed experiments NAME` prints the path of one: sudo testbed run $(testbed experiments quickstart)")


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
    return Path(testbed.__file__).parents[1] / "experiments"
