"""Help, completion and the manual page, which are made from the same text."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from testbed.cli import app
from testbed.cli.manual import manual
from tests.cli.conftest import COMMAND, Terminal
from tests.runfolder.runs import GOLDEN, write_run

Run = Callable[..., subprocess.CompletedProcess[str]]
PAGE = Path(__file__).parents[2] / "docs" / "testbed.1"
GROUP: Any = typer.main.get_command(app)
COMMANDS = sorted([*GROUP.commands, *(f"pcap {name}" for name in GROUP.commands["pcap"].commands)])
COMPLETE = """
eval "$(testbed --show-completion bash)"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
_testbed_completion testbed
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_short_option_prints_help_everywhere(call: Run, command: str) -> None:
    words = command.split()
    assert call(*words, "-h").stdout == call(*words, "--help").stdout
    assert call(*words, "-h").stdout.startswith("Usage: testbed")


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., set[str]]:
    """Return a function that presses the tab key in bash, behind the last word, in a folder with a run and a file."""
    run = tmp_path / "runs" / "small-20261121T000000Z"
    run.mkdir(parents=True)
    write_run(run, GOLDEN)
    (tmp_path / "mine.yaml").write_text(GOLDEN)
    script = tmp_path / "complete.sh"
    script.write_text(COMPLETE.replace(" bash)", ")"))
    monkeypatch.setenv("PATH", f"{COMMAND.parent}:{os.environ['PATH']}")

    def press(*words: str) -> set[str]:
        command = ["bash", str(script), "testbed", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
        assert done.stderr == ""
        return set(done.stdout.split())

    return press


def test_bash_completes_commands_and_options(offered: Callable[..., set[str]]) -> None:
    assert offered("r") == {"run", "runs", "report"}
    assert offered("clean", "--k") == {"--keep-latest"}


def test_bash_completes_experiments_runs_and_topologies(offered: Callable[..., set[str]]) -> None:
    assert offered("check", "quick") == {"quickstart"}
    assert offered("check", "mi") == {"mine.yaml"}
    assert offered("report", "sm") == {"small", "small-20261121T000000Z"}
    assert offered("open", "--runs", "nowhere", "sm") == set()
    assert {"star", "two-isps", "quickstart", "mine.yaml"} <= offered("links", "")
    assert offered("check", "runs/") == set(), "the shell completes paths"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    done = subprocess.run([COMMAND, "--show-completion", shell], capture_output=True, text=True, timeout=60, check=True)
    assert f"_TESTBED_COMPLETE=complete_{shell}" in done.stdout


@pytest.mark.parametrize(("no_color", "has_colours"), [("", True), ("1", False)])
def test_installing_completion_has_colours_unless_refused(
    on_terminal: Callable[..., Terminal], monkeypatch: pytest.MonkeyPatch, no_color: str, *, has_colours: bool
) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    monkeypatch.setenv("NO_COLOR", no_color)
    terminal = on_terminal("--install-completion", "fish")
    assert ("\033[" in terminal.read_until("restart the terminal")) is has_colours


def test_committed_manual_page_is_current() -> None:
    advice = "run: .venv/bin/python -m testbed.cli.manual > docs/testbed.1"
    assert PAGE.read_text() == manual(), advice


def test_manual_page_is_rendered_with_every_command() -> None:
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "error", PAGE], capture_output=True, text=True, check=False)
    assert (lint.returncode, lint.stdout) == (0, "")
    page = subprocess.run(["mandoc", "-T", "ascii", PAGE], capture_output=True, text=True, check=True).stdout
    plain = subprocess.run(["col", "-bx"], input=page, capture_output=True, text=True, check=True).stdout
    assert [command for command in COMMANDS if f"\n   {command} " not in plain] == []
    assert "--keep-latest N" in plain
