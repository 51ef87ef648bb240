"""Python programs forked from a warm interpreter behave as if each had been started on its own."""

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

def arguments():
    print(sys.argv[1:], __name__, os.getsid(0) == os.getpid(), sys.stdin.read() == "")

if __name__ == "__main__":
    exec(sys.argv[1])
"""


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of importable modules: `program` executes its first argument, `broken` fails to import."""
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "broken.py").write_text("raise ImportError('broken on purpose')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def on_host(on_network: Callable[..., Any], modules: Path) -> OnHost:
    """Return a function that calls `look` with the first of two hosts."""
    return lambda look, **options: on_network(Star(n=2), lambda network: look(network.host("h1")), **options)


def program(host: EmulatedHost, *arguments: str) -> Process:
    return host.start_python("program", arguments)


def ended(process: Process) -> tuple[int | None, str, str]:
    return process.wait(20), process.stdout.strip(), process.stderr.strip()


def test_program_runs_in_hosts_namespace(on_network: Callable[..., Any], modules: Path) -> None:
    def look(network: Network) -> list[tuple[int | None, str, str]]:
        return [ended(process) for process in [program(host, "address()") for host in network.hosts]]

    assert on_network(Star(n=3), look) == [(0, f"198.18.0.{number}/32", "") for number in (1, 2, 3)]


def test_forked_program_looks_freshly_started(on_host: OnHost) -> None:
    seen = on_host(lambda host: ended(program(host, "arguments()", "a b", "")))
    assert seen == (0, "['arguments()', 'a b', ''] __main__ True True", "")


def test_each_program_has_own_random_seed(on_host: OnHost) -> None:
    """A fork continues its parent's random numbers unless it is seeded again."""

    def look(host: EmulatedHost) -> list[tuple[int | None, str, str]]:
        return [ended(program(host, "import random; print(random.random())")) for _ in range(3)]

    assert len({stdout for _, stdout, _ in on_host(look, preload=["random"])}) == 3


def test_preloaded_modules_are_imported(on_host: OnHost) -> None:
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
def test_exit_status_is_kept(on_host: OnHost, script: str, status: int) -> None:
    assert on_host(lambda host: ended(program(host, script))) == (status, "", "")


def test_exit_message_is_printed(on_host: OnHost) -> None:
    assert on_host(lambda host: ended(program(host, "sys.exit('no tracker')"))) == (1, "", "no tracker")


def test_error_is_printed_with_its_traceback(on_host: OnHost) -> None:
    status, stdout, stderr = on_host(lambda host: ended(program(host, "raises()")))
    assert (status, stdout) == (1, "")
    assert stderr.startswith("Traceback")
    assert stderr.endswith("WrongError: of course")


def test_missing_module_is_named(on_host: OnHost) -> None:
    status, _, stderr = on_host(lambda host: ended(host.start_python("no_such_module")))
    assert status == 1
    assert "no_such_module" in stderr


def test_forked_program_is_awaited_and_stopped(on_host: OnHost) -> None:
    def look(host: EmulatedHost) -> tuple[str, int | None, int, int | None]:
        process = program(host, "late()")
        return process.wait_ready("begun")[0], process.poll(), process.stop(), process.poll()

    assert on_host(look) == ("begun", None, -signal.SIGTERM, -signal.SIGTERM)


def test_end_before_readiness_shows_error(on_host: OnHost) -> None:
    with pytest.raises(ProcessError, match=r"program on h1 \(pid \d+\) ended with 1 before it was ready") as caught:
        on_host(lambda host: program(host, "raises()").wait_ready("begun"))
    assert "WrongError: of course" in str(caught.value)


def test_hundred_programs_keep_their_exit_status(on_network: Callable[..., Any], modules: Path) -> None:
    """Most end before the first wait, and they are awaited in reverse order."""

    def look(network: Network) -> list[int | None]:
        hosts = network.hosts
        started = [program(hosts[number % 4], f"sys.exit({number})") for number in range(100)]
        return [process.wait(20) for process in reversed(started)]

    assert on_network(Star(n=4), look) == list(reversed(range(100)))


def test_programs_end_with_network(modules: Path) -> None:
    def body() -> list[int | None]:
        with Network(Star(n=3)) as network:
            programs = [program(host, "late()") for host in network.hosts]
            for process in programs:
                process.wait_ready("begun")
        return [process.returncode for process in programs]

    assert sandbox.run(body) == [-signal.SIGTERM] * 3


def test_interrupt_does_not_lose_exit_status(on_host: OnHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """A status that was read but not stored would be awaited for ever."""
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


def test_many_open_descriptors_do_not_matter(on_host: OnHost) -> None:
    def look(host: EmulatedHost) -> int | None:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 2_000), most))
        for _ in range(1_100):
            os.dup(0)
        return program(host, "sys.exit(3)").wait(20)

    assert on_host(look) == 3


def test_failing_preload_is_reported(on_host: OnHost, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WarmInterpreterError, match="ended with status 1"):
        on_host(lambda host: program(host, "pass"), preload=["broken"])
    assert "ImportError: broken on purpose" in capfd.readouterr().err


def test_dead_interpreter_is_reported(on_host: OnHost) -> None:
    def look(host: EmulatedHost) -> None:
        ended(program(host, "os.kill(os.getppid(), signal.SIGKILL)"))

    with pytest.raises(WarmInterpreterError, match="ended with status -9"):
        on_host(look)


def start_for_ever(host: EmulatedHost) -> None:
    while True:
        program(host, "pass").wait(20)


def test_hosts_survive_dead_interpreter(on_host: OnHost) -> None:
    """Executed programs keep running, and the network is removed; only forked programs have lost their parent."""

    def look(host: EmulatedHost) -> tuple[str, int]:
        shell = host.start(["sh", "-c", "echo ready; exec sleep 100"])
        program(host, "late()").wait_ready("begun")
        program(host, "os.kill(os.getppid(), signal.SIGKILL)")
        with pytest.raises(WarmInterpreterError):
            start_for_ever(host)
        return shell.wait_ready("ready")[0], shell.stop()

    with pytest.raises(WarmInterpreterError):
        on_host(look)


def test_isolated_program_sees_and_signals_only_its_own(on_host: OnHost) -> None:
    look = "print(os.getpid(), os.getppid()); subprocess.Popen(['sleep', '1000'], start_new_session=True)"

    def isolated(host: EmulatedHost) -> tuple[str, bool]:
        process = host.start_python("program", [look], isolated=True)
        neighbour = program(host, "late()")
        neighbour.wait_ready("begun")
        _, stdout, _ = ended(process)
        assert neighbour.poll() is None
        return stdout, any(b"sleep" in path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline"))

    assert on_host(isolated) == ("1 0", False)


def test_isolated_program_has_limited_memory(on_host: OnHost) -> None:
    status, _, stderr = on_host(lambda host: ended(host.start_python("program", ["bytearray(4 << 30)"], isolated=True)))
    assert (status, stderr.splitlines()[-1]) == (1, "MemoryError")
