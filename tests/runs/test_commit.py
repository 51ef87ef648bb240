"""Results name the commit of the testbed: from git in a clone, and from a file in what was copied out of one."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from testbed.runs.commit import UNKNOWN, Commit, commit_of, record
from tests.setup.conftest import REPOSITORY

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

KNOWN = Commit("0123456789abcdef0123456789abcdef01234567", dirty=False)


def git(folder: Path, *words: str) -> str:
    author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    return subprocess.check_output(("git", "-C", folder, *author, *words), text=True).strip()


def make_repository(folder: Path) -> str:
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A folder with the files that matter here, as in a clone."""
    folder = tmp_path / "sources"
    (folder / "testbed").mkdir(parents=True)
    for name in ("testbed/commit.json", ".gitattributes"):
        shutil.copy(REPOSITORY / name, folder / name)
    return folder


def test_clone_knows_its_commit_and_changes(sources: Path) -> None:
    commit = make_repository(sources)
    assert commit_of(sources) == (commit, False)
    (sources / "testbed" / "new.py").touch()
    assert commit_of(sources) == (commit, True)


def test_clone_knows_its_commit_in_a_hook_of_another(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = make_repository(sources)
    git(tmp_path, "init", "--quiet", "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other/.git"))
    assert commit_of(sources).commit == commit


def test_copy_without_git_has_an_unknown_commit(sources: Path) -> None:
    assert commit_of(sources) == UNKNOWN


def test_copy_inside_another_project_does_not_take_its_commit(sources: Path) -> None:
    make_repository(sources.parent)
    assert commit_of(sources) == UNKNOWN
    record(KNOWN, sources)
    assert commit_of(sources) == KNOWN


def test_archive_knows_its_commit_and_not_its_changes(sources: Path, tmp_path: Path) -> None:
    commit = make_repository(sources)
    git(sources, "archive", "--output", str(tmp_path / "sources.tar"), "HEAD")
    (tmp_path / "unpacked").mkdir()
    subprocess.run(("tar", "-xf", tmp_path / "sources.tar", "-C", tmp_path / "unpacked"), check=True)
    assert commit_of(tmp_path / "unpacked") == (commit, None)


def test_record_is_used_where_git_is_not_installed(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_repository(sources)
    record(KNOWN, sources)
    monkeypatch.setenv("PATH", "")
    assert commit_of(sources) == KNOWN


def test_record_does_not_write_into_the_clone_through_a_hard_link(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "copy/testbed").mkdir(parents=True)
    (tmp_path / "copy/testbed/commit.json").hardlink_to(sources / "testbed/commit.json")
    record(KNOWN, tmp_path / "copy")
    assert commit_of(tmp_path / "copy") == KNOWN
    assert "Format" in (sources / "testbed/commit.json").read_text()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", json.dumps({"commit": "main", "dirty": False})])
def test_damaged_record_names_no_commit(sources: Path, text: str) -> None:
    (sources / "testbed/commit.json").write_text(text)
    assert commit_of(sources) == UNKNOWN


def test_repository_holds_the_placeholder() -> None:
    assert json.loads((REPOSITORY / "testbed/commit.json").read_text()) == {"commit": "$Format:%H$", "dirty": None}
