"""`testbed shell`: Mininet's command line, with commands from options, a pipe or a terminal."""

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.kernel

Run = Callable[..., subprocess.CompletedProcess[str]]

PROMPT = "mininet> "


def test_command_option_prints_only_its_output(testbed: Run) -> None:
    result = testbed("shell", "star", "n=3", "-c", "pingall", "-c", "h1 ip -br addr show dev h1-eth0")
    assert result.returncode == 0
    assert "*** Results: 0% dropped (6/6 received)" in result.stdout
    assert result.stdout.splitlines()[-1].split() == ["h1-eth0@if1001", "UP", "198.18.0.1/32"]
    assert result.stderr == ""


def test_exit_skips_later_commands(testbed: Run) -> None:
    result = testbed("shell", "star", "-c", "h1 echo first", "-c", "exit", "-c", "h1 echo second")
    assert (result.returncode, result.stdout) == (0, "first\n")


def test_unknown_host_ends_shell_with_error(testbed: Run) -> None:
    result = testbed("shell", "star", "-c", "h9 true", "-c", "h1 echo later")
    assert result.returncode == 2
    assert result.stderr == "testbed: 'h9 true': there is no command and no host 'h9'; -c help lists the commands\n"
    assert result.stdout == ""


@pytest.mark.parametrize("stdin", ["pingall\nexit\n", "pingall\n", "pingall"])
def test_piped_input_is_executed_to_end(testbed: Run, stdin: str) -> None:
    result = testbed("shell", "star", "n=2", stdin=stdin)
    assert result.returncode == 0
    assert "*** Results: 0% dropped (2/2 received)" in result.stdout
    assert PROMPT not in result.stdout


def test_unknown_piped_command_does_not_end_shell(testbed: Run) -> None:
    result = testbed("shell", "star", stdin="fly\nh1 echo $((6 * 7))\n")
    assert result.returncode == 0
    assert "*** Unknown command: fly" in result.stdout
    assert "42" in result.stdout.splitlines()


def test_terminal_has_greeting_and_prompt(on_terminal: Callable[..., Any]) -> None:
    terminal = on_terminal("shell", "star", "n=2")
    assert "hosts h1, h2; cores s1." in terminal.read_until(PROMPT)
    terminal.type("h1 ip -br addr show dev h1-eth0\n")
    assert "198.18.0.1/32" in terminal.read_until(PROMPT)
    terminal.type("exit\n")
    assert terminal.exit_status() == 0


def test_ctrl_c_interrupts_program_not_shell(on_terminal: Callable[..., Any]) -> None:
    terminal = on_terminal("shell", "star", "n=2")
    terminal.read_until(PROMPT)
    terminal.type("h1 ping h2\n")
    terminal.read_until("icmp_seq=2 ")
    terminal.type("\x03")
    assert "packets transmitted" in terminal.read_until(PROMPT)
    terminal.type("h2 echo still $((6 * 7)) here\n")
    terminal.read_until("still 42 here")
    terminal.read_until(PROMPT)
    terminal.type("\x03\n")  # the newline wakes a prompt that was interrupted before it began to wait
    terminal.read_until("Interrupt")
    terminal.read_until(PROMPT)
    terminal.type("\x04")
    assert terminal.exit_status() == 0
