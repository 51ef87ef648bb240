"""The Containerfile, the command of its image, and the devcontainer."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.setup.conftest import REPOSITORY

CONTAINERFILE = REPOSITORY / "Containerfile"
IMAGE_FOLDER = "/testbed"


def instructions(name: str) -> list[list[str]]:
    """The words of each instruction of this name, without options."""
    lines = CONTAINERFILE.read_text().replace("\\\n", " ").splitlines()
    found = (shlex.split(line)[1:] for line in lines if line.startswith(f"{name} "))
    return [[word for word in words if not word.startswith("--")] for words in found]


def test_stages_of_the_image_are_defined_before_they_are_used() -> None:
    text = CONTAINERFILE.read_text()
    for stage in re.findall(r"--from=(\w+)", text):
        assert f" AS {stage}\n" in text.partition(f"--from={stage}")[0]


def test_image_copies_the_clone_and_nothing_that_is_not_there() -> None:
    from_context, from_stage = instructions("COPY")
    assert from_context == [".", IMAGE_FOLDER]
    assert from_stage == [IMAGE_FOLDER, IMAGE_FOLDER]


def test_image_names_files_of_the_clone() -> None:
    named = set(re.findall(rf"(?<!\w){IMAGE_FOLDER}/([\w./-]+)", CONTAINERFILE.read_text())) - {".git"}
    assert named >= {"bin/testbed", "bin/lib/in-container"}
    assert [name for name in named if not (REPOSITORY / name).exists()] == []
    assert all(os.access(REPOSITORY / name, os.X_OK) for name in named if name.startswith("bin/"))


def test_image_is_built_from_what_git_tracks() -> None:
    """A tracked file that the image lacks would count as a change, and .git holds the commit."""
    ignored = {line.strip("/") for line in (REPOSITORY / ".gitignore").read_text().splitlines()}
    lines = (REPOSITORY / ".dockerignore").read_text().splitlines()
    excluded = {line.removeprefix("**/").strip("/") for line in lines if not line.startswith("#")}
    assert excluded == ignored


@pytest.fixture
def in_container(tmp_path: Path) -> Path:
    """The command of the image, beside a testbed that prints its arguments."""
    (tmp_path / "bin/lib").mkdir(parents=True)
    (tmp_path / "bin/testbed").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "bin/testbed").chmod(0o755)
    command = tmp_path / "bin/lib/in-container"
    command.write_bytes((REPOSITORY / "bin/lib/in-container").read_bytes())
    command.chmod(0o755)
    return command


@pytest.mark.parametrize(
    ("words", "runs", "is_warned"),
    [("run x.yaml", "/runs", True), ("run x.yaml", "/elsewhere", False), ("check x.yaml", "/runs", False)],
)
def test_run_whose_results_go_with_the_container_is_warned(
    in_container: Path, words: str, runs: str, *, is_warned: bool
) -> None:
    if Path("/runs").is_mount():
        pytest.skip("this is a container with a volume")
    shown = subprocess.run(
        (in_container, *words.split()),
        env=os.environ | {"TESTBED_RUNS": runs},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == f"{words}\n"
    assert ("is no volume" in shown.stderr) is is_warned


def test_devcontainer_starts_with_a_command_of_the_clone() -> None:
    text = (REPOSITORY / ".devcontainer/devcontainer.json").read_text()
    settings = json.loads(re.sub(r"^ *//.*$", "", text, flags=re.MULTILINE))
    program = settings["postCreateCommand"].split()[0]
    assert os.access(REPOSITORY / program, os.X_OK)
    assert settings["privileged"]
