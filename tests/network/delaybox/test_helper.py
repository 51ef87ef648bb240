"""The helper's command line: what it refuses, and its messages."""

import subprocess
from pathlib import Path

import pytest

GOOD = "198.18.0.1 20000 0 0 20000 0 0\n"


def run(program: Path, table: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, *arguments], input=table, capture_output=True, text=True, timeout=10, check=False)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("198.18.0.300 0 0 0 0 0 0", '"198.18.0.300" is not the IPv4 address'),
        ("0.0.0.0 0 0 0 0 0 0", '"0.0.0.0" is not the IPv4 address'),
        ("198.18.0.2 0 0 0 0 0", "down loss is missing"),
        ("198.18.0.2 0 0 0 0 0 0 0", "more than an address and six numbers"),
        ("198.18.0.2 -1 0 0 0 0 0", 'up delay "-1" is not a whole number'),
        ("198.18.0.2 0 1.5 0 0 0 0", 'up jitter "1.5" is not a whole number'),
        ("198.18.0.2 0 0 0 60000001 0 0", 'down delay "60000001" is not a whole number'),
        ("198.18.0.2 0 0 1.1 0 0 0", 'up loss "1.1" is not a probability'),
        ("198.18.0.2 0 0 0 0 0 nan", 'down loss "nan" is not a probability'),
        ("198.18.0.1 0 0 0 0 0 0", "198.18.0.1 is already in the table"),
    ],
)
def test_bad_table_is_refused_with_line_number(program: Path, line: str, complaint: str) -> None:
    ended = run(program, f"# address up down\n\n{GOOD}{line}\n", "--tun", "0")
    assert ended.returncode == 3
    assert "line 4: " in ended.stderr
    assert complaint in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "--tun FD"),
        (["--tun", "x"], '--tun "x" is not a whole number'),
        (["--tun", "0", "--seed", "-1"], '--seed "-1" is not a whole number'),
        (["--tun", "0", "extra"], "no words but options"),
        (["--tun", "0"], "--tun 0 is not a TUN device"),
    ],
)
def test_bad_usage_is_refused(program: Path, arguments: list[str], complaint: str) -> None:
    ended = run(program, GOOD, *arguments)
    assert ended.returncode == 2
    assert complaint in ended.stderr


def test_help_documents_table_and_exit_status(program: Path) -> None:
    ended = run(program, "", "--help")
    assert ended.returncode == 0
    assert "UP_DELAY UP_JITTER UP_LOSS" in ended.stdout
    assert "exit status: 0" in ended.stdout
