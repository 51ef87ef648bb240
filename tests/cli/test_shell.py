"""`testbed shell`: Mininet's command line in the network, on lines, on a pipe and on a terminal."""

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.kernel

Run = Callable[..., subprocess.CompletedProcess[str]]

PROMPT = "mininet> "


def test_the_lines_that_are_passed_are_carried_out_and_nothing_else_is_printed(testbed: Run) -> None:
    answer = testbed("shell", "star", "n=3", "-c", "pingall", "-c", "h1 ip -br addr show dev h1-eth0")
    assert answer.returncode == 0
    assert "*** Results: 0% dropped (6/6 received)" in answer.stdout
    assert answer.stdout.splitlines()[-1].split() == ["h1-eth0@if1001", "UP", "198.18.0.1/32"]
    assert answer.stderr == ""


def test_exit_ends_the_lines_that_are_passed(testbed: Run) -> None:
    answer = testbed("shell", "star", "-c", "h1 echo first", "-c", "exit", "-c", "h1 echo second")
    assert (answer.returncode, answer.stdout) == (0, "first\n")


def test_a_line_for_nobody_is_an_error_and_ends_the_shell(testbed: Run) -> None:
    answer = testbed("shell", "star", "-c", "h9 true", "-c", "h1 echo later")
    assert answer.returncode == 2
    assert answer.stderr == "testbed: 'h9 true': there is no command or host 'h9'; -c help lists the commands\n"
    assert answer.stdout == ""


@pytest.mark.parametrize("typed", ["pingall\nexit\n", "pingall\n", "pingall"])
def test_piped_input_is_carried_out_to_its_end(testbed: Run, typed: str) -> None:
    answer = testbed("shell", "star", "n=2", typed=typed)
    assert answer.returncode == 0
    assert "*** Results: 0% dropped (2/2 received)" in answer.stdout
    assert PROMPT not in answer.stdout


def test_an_unknown_line_of_a_pipe_does_not_end_it(testbed: Run) -> None:
    answer = testbed("shell", "star", typed="fly\nh1 echo $((6 * 7))\n")
    assert answer.returncode == 0
    assert "*** Unknown command: fly" in answer.stdout
    assert "42" in answer.stdout.splitlines()


def test_on_a_terminal_one_is_greeted_asked_and_obeyed(on_terminal: Callable[..., Any]) -> None:
    terminal = on_terminal("shell", "star", "n=2")
    assert "Hosts: h1, h2. Cores: s1." in terminal.read_until(PROMPT)
    terminal.type("h1 ip -br addr show dev h1-eth0\n")
    assert "198.18.0.1/32" in terminal.read_until(PROMPT)
    terminal.type("exit\n")
    assert terminal.exit_status() == 0


def test_ctrl_c_interrupts_what_a_host_runs_and_the_shell_goes_on(on_terminal: Callable[..., Any]) -> None:
    terminal = on_terminal("shell", "star", "n=2")
    terminal.read_until(PROMPT)
    terminal.type("h1 ping h2\n")
    terminal.read_until("icmp_seq=2 ")
    terminal.type("\x03")
    assert "packets transmitted" in terminal.read_until(PROMPT)
    terminal.type("h2 echo still $((6 * 7)) here\n")
    terminal.read_until("still 42 here")
    terminal.read_until(PROMPT)
    terminal.type("\x03\n")  # the second key wakes a prompt that was interrupted before it began to wait
    terminal.read_until("Interrupt")
    terminal.read_until(PROMPT)
    terminal.type("\x04")
    assert terminal.exit_status() == 0
