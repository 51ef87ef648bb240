"""The commit that this testbed is made from, and whether its files differ from that commit.

In a clone, git knows. Everywhere else the file testbed/commit.json says it: setup.py writes it into source
distributions and wheels, the Containerfile into images, and `git archive` into archives. In a clone it holds a
placeholder.

setup.py and the Containerfile run this file alone, so it imports the standard library only.
"""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

_SOURCE: Final = Path(__file__).resolve().parents[2]
_RECORD: Final = Path("testbed", "commit.json")


class Commit(NamedTuple):
    """What is None is not known."""

    commit: str | None
    dirty: bool | None


UNKNOWN: Final = Commit(None, None)


def commit_of(source: Path = _SOURCE) -> Commit:
    """Return the commit of a folder that holds the package `testbed`: of this program, unless another is given."""
    return _commit_of_clone(source) or _recorded(source)


def record(commit: Commit, folder: Path) -> None:
    """Write the commit into a copy of the sources."""
    file = folder / _RECORD
    # The file may be a hard link to that of the clone.
    file.unlink(missing_ok=True)
    file.write_text(json.dumps(commit._asdict()) + "\n", encoding="utf-8")


def _commit_of_clone(source: Path) -> Commit | None:
    top = _git(source, "rev-parse", "--show-toplevel")
    # A virtual environment is often inside the clone of another project, whose commit says nothing about the testbed.
    if not top or Path(top).resolve() != source.resolve():
        return None
    commit = _git(source, "rev-parse", "--verify", "HEAD")
    changes = _git(source, "status", "--porcelain")
    return Commit(commit, None if changes is None else bool(changes))


def _git(source: Path, *words: str) -> str | None:
    command = ["git", "-c", f"safe.directory={source}", "-C", str(source), *words]
    # A git hook sets GIT_DIR for its own repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    except FileNotFoundError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def _recorded(source: Path) -> Commit:
    try:
        values = json.loads((source / _RECORD).read_text(encoding="utf-8"))
        commit, dirty = values["commit"], values["dirty"]
    except (OSError, ValueError, LookupError, TypeError):
        return UNKNOWN
    is_known = isinstance(commit, str) and re.fullmatch(r"[0-9a-f]{40,64}", commit)
    return Commit(commit, dirty) if is_known else UNKNOWN


if __name__ == "__main__":
    found = commit_of()
    print(f"commit: {found.commit or 'not known; results will not name it'}")
    record(found, _SOURCE)
