"""Programs on hosts: where they run, where their output goes, and how they end."""

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from testbed.network import (
    EmulatedHost,
    Network,
    NodeError,
    ProcessError,
)
from testbed.network.processes.processes import Process, stop_all
from topologies.star import Star

pytestmark = pytest.mark.kernel

OnHost = Callable[[Callable[[EmulatedHost], Any]], Any]

STUBBORN = "trap '' TERM; echo ready; while :; do sleep 0.01; done"


@pytest.fixture
def on_host(on_network: Callable[..., Any]) -> OnHost:
    """Return a function that calls `look` with the first of two hosts."""
    return lambda look: on_network(Star(n=2), lambda network: look(network.host("h1")))


def shell(host: EmulatedHost, script: str, **options: Any) -> Process:
    return host.start(["sh", "-c", script], **options)


# Where they run.


def test_program_runs_in_hosts_namespace(on_network: Callable[..., Any]) -> None:
    def look(network: Network) -> list[tuple[int | None, str]]:
        started = [host.start(["ip", "-brief", "-4", "addr"]) for host in network.hosts]
        return [(process.wait(10), process.stdout.split()[-1]) for process in started]

    assert on_network(Star(n=3), look) == [(0, f"198.18.0.{number}/32") for number in (1, 2, 3)]


def test_program_has_own_session_and_no_input(on_host: OnHost) -> None:
    def look(host: EmulatedHost) -> tuple[int, str, str]:
        process = shell(host, "ps -o sid= -p $$; readlink /proc/self/fd/0")
        process.wait(10)
        return process.pid, *process.stdout.split()  # type: ignore[return-value]

    pid, session, stdin = on_host(look)
    assert (int(session), stdin) == (pid, "/dev/null")


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "PIPE", "XFSZ"])
def test_program_has_default_signal_handling(on_host: OnHost, name: str) -> None:
    """Python ignores some signals, and a child would inherit that."""
    status = on_host(lambda host: shell(host, f"kill -{name} $$; exit 3").wait(10))
    assert status == -signal.Signals[f"SIG{name}"]


def test_program_inherits_no_descriptors(on_host: OnHost) -> None:
    """An inherited descriptor of a namespace, for one, would keep the namespace alive."""

    def look(host: EmulatedHost) -> str:
        shell(host, "sleep 100")
        process = host.start(["ls", "-l", "/proc/self/fd"])
        process.wait(10)
        return process.stdout

    shown = on_host(look)
    assert "h1.1.out" in shown
    assert [ours for ours in ("net:[", "pidfd", "memfd", "socket:[", "/proc/") if ours in shown] == ["/proc/"]


@pytest.mark.parametrize(("env", "seen"), [({"WORD": "a b"}, "a b"), ({}, "")])
def test_program_gets_given_environment(on_host: OnHost, env: Mapping[str, str], seen: str) -> None:
    def look(host: EmulatedHost) -> str:
        process = host.start(["/bin/sh", "-c", 'echo "$WORD"'], env=env)
        process.wait(10)
        return process.stdout

    assert on_host(look) == f"{seen}\n"


# Where their output goes.


def test_each_program_has_output_files(on_network: Callable[..., Any], tmp_path: Path) -> None:
    def look(network: Network) -> None:
        for host in network.hosts:
            for word in ("first", "second"):
                shell(host, f"echo {word} {host.name}; echo {word} complaint >&2").wait(10)

    on_network(Star(n=2), look, output=tmp_path / "made" / "here")
    kept = {path.name: path.read_text() for path in (tmp_path / "made" / "here").iterdir()}
    assert kept == {
        "h1.0.out": "first h1\n",
        "h1.0.err": "first complaint\n",
        "h1.1.out": "second h1\n",
        "h1.1.err": "second complaint\n",
        "h2.0.out": "first h2\n",
        "h2.0.err": "first complaint\n",
        "h2.1.out": "second h2\n",
        "h2.1.err": "second complaint\n",
    }


def test_output_path_can_be_chosen(on_host: OnHost, tmp_path: Path) -> None:
    """The folder need not exist yet, and the dot in the name does not begin a suffix."""
    output = tmp_path / "trial" / "peer.1"
    on_host(lambda host: shell(host, "echo said; echo complained >&2", output=output).wait(10))
    kept = {path.name: path.read_text() for path in output.parent.iterdir()}
    assert kept == {"peer.1.out": "said\n", "peer.1.err": "complained\n"}


def test_undecodable_output_is_replaced(on_host: OnHost) -> None:
    def look(host: EmulatedHost) -> str:
        process = shell(host, r"printf 'a\377b'")
        process.wait(10)
        return process.stdout

    assert on_host(look) == "a\ufffdb"


# Waiting for a line.


def test_matching_line_makes_program_ready(on_host: OnHost) -> None:
    def look(host: EmulatedHost) -> tuple[str, int | None]:
        process = shell(host, "echo starting; echo listening on 6881; sleep 100")
        match = process.wait_ready(r"listening on (\d+)")
        return match[1], process.poll()

    assert on_host(look) == ("6881", None)


def test_only_whole_lines_match(on_host: OnHost, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")

    def look(host: EmulatedHost) -> tuple[str, str]:
        process = shell(host, f"printf 'port 68'; read word <{tmp_path / 'go'}; echo 81; sleep 100")
        with pytest.raises(ProcessError) as caught:
            process.wait_ready(r"port \d+", timeout=0.2)
        (tmp_path / "go").write_text("on\n")
        return str(caught.value), process.wait_ready(r"port \d+")[0]

    complaint, line = on_host(look)
    assert "printed no line with 'port \\\\d+' in 0.2 s\nport 68" in complaint
    assert line == "port 6881"


def test_readiness_timeout_shows_output(on_host: OnHost) -> None:
    def look(host: EmulatedHost) -> None:
        process = shell(host, "echo busy; echo cannot bind >&2; exec sleep 100")
        process.wait_ready("busy")
        process.wait_ready("ready", timeout=0.1)

    with pytest.raises(ProcessError) as caught:
        on_host(look)
    first, *tail = str(caught.value).splitlines()
    assert first.startswith("sh on h1 (pid ")
    assert first.endswith("printed no line with 'ready' in 0.1 s")
    assert tail == ["busy", "cannot bind"]


def test_end_before_readiness_shows_output(on_host: OnHost) -> None:
    def look(host: EmulatedHost) -> None:
        shell(host, "seq 5000 >&2; echo no such file >&2; exit 3").wait_ready("ready")

    with pytest.raises(ProcessError, match=r"sh on h1 \(pid \d+\) ended with 3 before it was ready\n") as caught:
        on_host(look)
    assert str(caught.value).endswith("4999\n5000\nno such file")
    assert len(str(caught.value)) < 2200


def test_program_may_end_once_ready(on_host: OnHost) -> None:
    assert on_host(lambda host: shell(host, "echo ready").wait_ready("ready")[0]) == "ready"


# How they end.


@pytest.mark.parametrize(("script", "status"), [("exit 0", 0), ("exit 3", 3), ("kill -KILL $$", -9)])
def test_exit_status_is_kept(on_host: OnHost, script: str, status: int) -> None:
    def look(host: EmulatedHost) -> list[int | None]:
        process = shell(host, script)
        return [process.wait(10), process.poll(), process.wait(), process.stop()]

    assert on_host(look) == [status] * 4


def test_wait_times_out(on_host: OnHost) -> None:
    assert on_host(lambda host: shell(host, "sleep 100").wait(0.01)) is None


def test_stop_sends_sigterm_first(on_host: OnHost) -> None:
    def look(host: EmulatedHost) -> tuple[int, str]:
        process = shell(host, "trap 'echo bye; exit 4' TERM; echo ready; while :; do sleep 0.01; done")
        process.wait_ready("ready")
        return process.stop(), process.stdout

    assert on_host(look) == (4, "ready\nbye\n")


def test_stop_kills_program_that_ignores_sigterm(on_host: OnHost) -> None:
    def look(host: EmulatedHost) -> int:
        process = shell(host, STUBBORN)
        process.wait_ready("ready")
        return process.stop(patience=0.1)

    assert on_host(look) == -signal.SIGKILL


def test_programs_are_stopped_together(on_host: OnHost) -> None:
    def look(host: EmulatedHost) -> list[int]:
        processes = [shell(host, STUBBORN), shell(host, "echo ready; exec sleep 100"), shell(host, "echo ready")]
        for process in processes:
            process.wait_ready("ready")
        return stop_all(processes, patience=0.1)

    assert on_host(look) == [-signal.SIGKILL, -signal.SIGTERM, 0]


def test_signal_to_ended_program_is_ignored(on_host: OnHost) -> None:
    def look(host: EmulatedHost) -> int | None:
        process = shell(host, "exit 0")
        process.wait(10)
        process.send_signal(signal.SIGKILL)
        return process.poll()

    assert on_host(look) == 0


def test_programs_end_with_network(on_network: Callable[..., Any], tmp_path: Path) -> None:
    def look(network: Network) -> tuple[Process, Process]:
        programs = shell(network.host("h1"), "echo ready; exec sleep 100"), shell(network.host("h2"), "exit 3")
        programs[0].wait_ready("ready")
        programs[1].wait(10)
        return programs

    first, second = on_network(Star(n=2), look, output=tmp_path)
    assert (first.returncode, second.returncode) == (-signal.SIGTERM, 3)


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["no-such-program"], "cannot start no-such-program on h1: No such file or directory"),
        (["/etc/passwd"], "cannot start /etc/passwd on h1: Permission denied"),
    ],
)
def test_unstartable_program_is_named(
    on_host: OnHost, argv: list[str], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with pytest.raises(ProcessError, match=f"^{complaint}$"):
        on_host(lambda host: host.start(argv))


def test_host_of_removed_network_starts_nothing(on_network: Callable[..., Any]) -> None:
    def look(network: Network) -> None:
        host = network.host("h1")
        network.__exit__(None, None, None)
        host.start(["true"])

    with pytest.raises(NodeError, match="h1 has no network namespace"):
        on_network(Star(n=1), look)
