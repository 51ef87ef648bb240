"""The link by which a clone becomes the command `testbed`: offered once, and never in the place of something else."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.setup.test_set_up import NOBODY, needs_root, run

OFFER = """
set -euo pipefail
source "$0/bin/lib/setup.sh"
source "$0/bin/lib/command.sh"
venv=$1
offer_command
"""
Offer = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def offer(readable_copy: Path, tmp_path: Path) -> Offer:
    """Return a function that offers the command of a clone, as its first start does; `venv` is its environment."""
    (tmp_path / "venv").mkdir()

    def start(*prefix: str, clone: Path = readable_copy, venv: str = "venv", **variables: str | Path) -> object:
        variables = {"TESTBED_COMMAND": tmp_path / "bin" / "testbed", **variables}
        return run(*prefix, "bash", "-c", OFFER, clone, tmp_path / venv, **variables)

    return start  # type: ignore[return-value]


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "bin" / "testbed"


@needs_root
def test_first_start_as_root_makes_a_link_to_the_clone(offer: Offer, link: Path, readable_copy: Path) -> None:
    first = offer()
    assert first.returncode == 0, first.stderr
    assert link.readlink() == readable_copy / "bin/testbed"
    (line,) = first.stderr.splitlines()
    assert line.startswith(f"testbed: made the link {link} -> {readable_copy}/bin/testbed")
    assert offer().stderr == ""


@needs_root
def test_link_that_was_removed_is_not_made_again(offer: Offer, link: Path) -> None:
    offer()
    link.unlink()
    assert offer().stderr == ""
    assert not link.is_symlink()


@needs_root
@pytest.mark.parametrize("kind", ["file", "folder", "link", "link to nothing"])
def test_other_program_of_that_name_stays(offer: Offer, link: Path, tmp_path: Path, kind: str) -> None:
    link.parent.mkdir()
    match kind:
        case "file":
            link.write_text("other")
        case "folder":
            link.mkdir()
        case "link":
            link.symlink_to("/bin/sh")
        case _:
            link.symlink_to(tmp_path / "gone")
    before = link.lstat()
    told = offer()
    assert told.returncode == 0
    assert "is another program and stays as it is: run this clone as " in told.stderr
    assert link.lstat() == before
    assert offer().stderr == "", "it is told once"


@needs_root
def test_link_to_a_clone_that_is_gone_is_replaced(
    offer: Offer, link: Path, tmp_path: Path, readable_copy: Path
) -> None:
    link.parent.mkdir()
    link.symlink_to(tmp_path / "old/bin/testbed")
    assert "made the link" in offer().stderr
    assert link.readlink() == readable_copy / "bin/testbed"


@needs_root
def test_script_of_provisioning_counts_as_the_command(offer: Offer, link: Path, readable_copy: Path) -> None:
    link.parent.mkdir()
    link.write_text(f"#!/bin/bash\nexec '{readable_copy}'/bin/testbed \"$@\"\n")
    assert offer().stderr == ""


@needs_root
def test_empty_setting_makes_no_link(offer: Offer, link: Path) -> None:
    assert (offer(TESTBED_COMMAND="").stderr, link.exists()) == ("", False)


@needs_root
@pytest.mark.parametrize("has_folder", [True, False])
def test_ordinary_user_is_told_how_to_make_a_link(
    offer: Offer, link: Path, tmp_path: Path, readable_copy: Path, *, has_folder: bool
) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    os.chown(tmp_path / "venv", 65534, 65534)
    own = "/home/me/.local/bin"
    path = f"{own}:{os.environ['PATH']}" if has_folder else os.environ["PATH"]
    told = offer(*NOBODY, HOME="/home/me", PATH=path)
    place = f"ln -s '{readable_copy}/bin/testbed' " + (f"'{own}/testbed'" if has_folder else f"'{link}'")
    assert told.stderr.endswith(f": {place if has_folder else f'sudo {place}'}\n")
    assert not link.exists()
    assert offer(*NOBODY, HOME="/home/me", PATH=path).stderr == "", "it is told once"


@needs_root
def test_provisioning_leaves_another_program_alone(link: Path, readable_copy: Path) -> None:
    link.parent.mkdir()
    link.write_text("other")
    functions = (readable_copy / "bin/provision").read_text().partition("if ((EUID != 0))")[0]
    script = readable_copy / "bin/install-command"
    script.write_text(f"{functions}\nvenv=/venv\ninstall_command\n")
    told = run("bash", script, TESTBED_COMMAND=link)
    assert told.returncode == 1
    assert f"{link} is another program" in told.stderr
    assert link.read_text() == "other"


@needs_root
def test_completion_sets_nothing_up(readable_copy: Path) -> None:
    asked = run(readable_copy / "bin/testbed", _TESTBED_COMPLETE="complete_bash", COMP_WORDS="testbed ", COMP_CWORD="1")
    assert (asked.returncode, asked.stdout, asked.stderr) == (0, "", "")
    assert not (readable_copy / ".venv").exists()
