"""What commands print fits a terminal of 80 columns, and in a pipe nothing is left out."""

import subprocess
from collections.abc import Callable

import pytest

from tests.cli.conftest import Terminal

Run = Callable[..., subprocess.CompletedProcess[str]]
COLUMNS = 80
COMMANDS = [
    "plan bittyrant-knobs",
    "plan course-example",
    "experiments",
    "topologies",
    "topologies two-isps",
    pytest.param("doctor --no-capacity", marks=pytest.mark.kernel),
    pytest.param("links star n=2 up=26616584bit/s loss=1% --seconds 0.2 --alone none", marks=pytest.mark.kernel),
]


@pytest.mark.parametrize("command_line", COMMANDS)
def test_lines_fit_the_terminal(on_terminal: Callable[..., Terminal], command_line: str) -> None:
    lines = on_terminal(*command_line.split(), columns=COLUMNS).read_to_end().splitlines()
    too_long = [line for line in lines if len(line) > COLUMNS and " " in line.strip()]
    assert not too_long
    assert max(map(len, lines)) > COLUMNS / 2


def test_wider_terminal_shows_more_columns(on_terminal: Callable[..., Terminal]) -> None:
    counts = []
    for width in (70, 90, 200):
        lines = on_terminal("plan", "bittyrant-knobs", columns=width).read_to_end().splitlines()
        counts.append(len(next(line for line in lines if line.startswith("trial ")).split()))
    assert counts == sorted(set(counts))


def test_piped_table_is_complete(call: Run) -> None:
    lines = call("plan", "bittyrant-knobs").stdout.splitlines()
    assert " ".join(lines[3].split()) == "trial strategy profile up repetition bound s payload servers peers' up about"
    assert "no room" not in "\n".join(lines)
