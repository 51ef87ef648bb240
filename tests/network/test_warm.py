"""Python programs forked from a warm interpreter behave as if each had been started by itself."""

import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testbed.network import (
    EmulatedHost,
    Network,
    ProcessError,
    sandbox,
)
from testbed.network.processes.processes import Process
from testbed.network.processes.warm import WarmInterpreter, WarmInterpreterError
from topologies.star import Star

pytestmark = pytest.mark.kernel

OnHost = Callable[..., Any]

PROGRAM = """
import os, signal, socket, subprocess, sys, time

class WrongError(Exception): pass

def address():
    print(subprocess.check_output(["ip", "-brief", "-4", "addr"], text=True).split()[-1])

def raises():
    raise WrongError("of course")

def late():
    print("begun", flush=True)
    time.sleep(1000)

def told():
    print(sys.argv[1:], __name__, os.getsid(0) == os.getpid(), sys.stdin.read() == "")

if __name__ == "__main__":
    exec(sys.argv[1])
"""


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which Python finds modules: `program` carries out its first argument, `broken` cannot be imported."""
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "broken.py").write_text("raise ImportError('broken on purpose')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def on_host(on_network: Callable[..., Any], modules: Path) -> OnHost:
    """Look at the first of two hosts."""
    return lambda look, **options: on_network(Star(n=2), lambda network: look(network.host("h1")), **options)


def program(host: EmulatedHost, *words: str) -> Process:
    return host.start_python("program", words)


def ended(process: Process) -> tuple[int | None, str, str]:
    return process.wait(20), process.stdout.strip(), process.stderr.strip()


def test_a_program_runs_in_its_hosts_namespace(on_network: Callable[..., Any], modules: Path) -> None:
    def look(network: Network) -> list[tuple[int | None, str, str]]:
        return [ended(process) for process in [program(host, "address()") for host in network.hosts]]

    assert on_network(Star(n=3), look) == [(0, f"198.18.0.{number}/32", "") for number in (1, 2, 3)]


def test_a_program_cannot_tell_that_it_was_forked(on_host: OnHost) -> None:
    seen = on_host(lambda host: ended(program(host, "told()", "a b", "")))
    assert seen == (0, "['told()', 'a b', ''] __main__ True True", "")


def test_each_program_has_its_own_chance(on_host: OnHost) -> None:
    """A fork has its parent's random numbers, unless somebody sees to it."""

    def look(host: EmulatedHost) -> list[tuple[int | None, str, str]]:
        return [ended(program(host, "import random; print(random.random())")) for _ in range(3)]

    assert len({stdout for _, stdout, _ in on_host(look, preload=["random"])}) == 3


def test_what_is_preloaded_is_there(on_host: OnHost) -> None:
    script = "print('http.server' in sys.modules)"
    assert on_host(lambda host: ended(program(host, script)), preload=["http.server"]) == (0, "True", "")
    assert on_host(lambda host: ended(program(host, script))) == (0, "False", "")


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("pass", 0),
        ("sys.exit()", 0),
        ("sys.exit(3)", 3),
        ("sys.exit(256 + 4)", 4),
        ("sys.exit(-1)", 255),
        ("os._exit(5)", 5),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        ("os.kill(os.getpid(), signal.SIGHUP)", -signal.SIGHUP),
    ],
)
def test_the_exit_status_tells_how_it_ended(on_host: OnHost, script: str, status: int) -> None:
    assert on_host(lambda host: ended(program(host, script))) == (status, "", "")


def test_a_reason_to_exit_is_printed(on_host: OnHost) -> None:
    assert on_host(lambda host: ended(program(host, "sys.exit('no tracker')"))) == (1, "", "no tracker")


def test_an_error_is_printed_with_its_traceback(on_host: OnHost) -> None:
    status, stdout, stderr = on_host(lambda host: ended(program(host, "raises()")))
    assert (status, stdout) == (1, "")
    assert stderr.startswith("Traceback")
    assert stderr.endswith("WrongError: of course")


def test_a_module_that_is_not_there_is_named(on_host: OnHost) -> None:
    status, _, stderr = on_host(lambda host: ended(host.start_python("no_such_module")))
    assert status == 1
    assert "no_such_module" in stderr


def test_a_program_is_awaited_and_stopped_like_any_other(on_host: OnHost) -> None:
    def look(host: EmulatedHost) -> tuple[str, int | None, int, int | None]:
        process = program(host, "late()")
        return process.wait_ready("begun")[0], process.poll(), process.stop(), process.poll()

    assert on_host(look) == ("begun", None, -signal.SIGTERM, -signal.SIGTERM)


def test_a_program_that_ends_before_it_is_ready_shows_its_error(on_host: OnHost) -> None:
    with pytest.raises(ProcessError, match=r"program on h1 \(pid \d+\) ended with 1 before it was ready") as caught:
        on_host(lambda host: program(host, "raises()").wait_ready("begun"))
    assert "WrongError: of course" in str(caught.value)


def test_a_hundred_programs_end_each_with_its_own_status(on_network: Callable[..., Any], modules: Path) -> None:
    """Most have ended before anybody asks, and are asked in another order."""

    def look(network: Network) -> list[int | None]:
        hosts = network.hosts
        started = [program(hosts[number % 4], f"sys.exit({number})") for number in range(100)]
        return [process.wait(20) for process in reversed(started)]

    assert on_network(Star(n=4), look) == list(reversed(range(100)))


def test_what_still_runs_ends_with_the_network(modules: Path) -> None:
    def body() -> list[int | None]:
        with Network(Star(n=3)) as network:
            programs = [program(host, "late()") for host in network.hosts]
            for process in programs:
                process.wait_ready("begun")
        return [process.returncode for process in programs]

    assert sandbox.run(body) == [-signal.SIGTERM] * 3


def test_an_interrupt_amid_the_report_of_an_end_loses_nothing(on_host: OnHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read and not noted would be awaited for ever."""
    exit_status = WarmInterpreter.exit_status

    def interrupted(self: WarmInterpreter, pid: int) -> int:
        status = exit_status(self, pid)
        signal.raise_signal(signal.SIGINT)
        return status

    def look(host: EmulatedHost) -> int | None:
        process = program(host, "sys.exit(3)")
        monkeypatch.setattr(WarmInterpreter, "exit_status", interrupted)
        with pytest.raises(KeyboardInterrupt):
            process.wait(20)
        return process.wait(0)

    assert on_host(look) == 3


def test_a_process_with_many_descriptors_has_programs_too(on_host: OnHost) -> None:
    def look(host: EmulatedHost) -> int | None:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 2_000), most))
        for _ in range(1_100):
            os.dup(0)
        return program(host, "sys.exit(3)").wait(20)

    assert on_host(look) == 3


def test_what_cannot_be_preloaded_is_an_error(on_host: OnHost, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WarmInterpreterError, match="ended with status 1"):
        on_host(lambda host: program(host, "pass"), preload=["broken"])
    assert "ImportError: broken on purpose" in capfd.readouterr().err


def test_an_interpreter_that_dies_is_noticed_by_the_next_program(on_host: OnHost) -> None:
    def look(host: EmulatedHost) -> None:
        ended(program(host, "os.kill(os.getppid(), signal.SIGKILL)"))

    with pytest.raises(WarmInterpreterError, match="ended with status -9"):
        on_host(look)


def start_for_ever(host: EmulatedHost) -> None:
    while True:
        program(host, "pass").wait(20)


def test_an_interpreter_that_dies_takes_no_host_with_it(on_host: OnHost) -> None:
    """Programs that were executed go on, and the network is removed; only what was forked has lost its parent."""

    def look(host: EmulatedHost) -> tuple[str, int]:
        shell = host.start(["sh", "-c", "echo ready; exec sleep 100"])
        program(host, "late()").wait_ready("begun")
        program(host, "os.kill(os.getppid(), signal.SIGKILL)")
        with pytest.raises(WarmInterpreterError):
            start_for_ever(host)
        return shell.wait_ready("ready")[0], shell.stop()

    with pytest.raises(WarmInterpreterError):
        on_host(look)
