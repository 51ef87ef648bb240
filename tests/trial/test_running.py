"""Runs: complete trials are kept, however a run ends."""

import errno
import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testbed.errors import RunError
from testbed.network import sandbox
from testbed.network.kernel.syscalls import mount
from testbed.runfolder.collection import make_run
from testbed.runfolder.folder import RunFolder
from testbed.runs.run_all import MOST_FAILURES, Tally, run_trials
from testbed.trial.events import Event, Progress, TrialAborted, TrialBegan, TrialEnded
from tests.trial.plans import plan_of

pytestmark = pytest.mark.kernel

SWEEP = "sweep:\n  distribution: [client-server, fluid]\n"
SESSION = {"started": "today", "ended": None}


def run_of(folder: Path, more: str = SWEEP, **parts: str) -> RunFolder:
    return make_run(folder / "runs", "small", "", plan_of(folder, more=more, **parts))


def kept(run: RunFolder) -> set[str]:
    return {path.name for path in run.trials.iterdir()}


def ids(run: RunFolder) -> list[str]:
    return [trial.id for trial in run.plan.trials]


def test_trials_run_in_the_order_of_the_plan(as_user: Callable[[Callable[[], Any]], Any]) -> None:
    def body() -> tuple[list[str], list[str], set[str], bool, str]:
        with tempfile.TemporaryDirectory() as name:
            run = run_of(Path(name))
            begun: list[str] = []

            def notify(event: Event) -> None:
                if isinstance(event, TrialBegan):
                    begun.append(event.trial.id)

            run_trials(run, dict(SESSION), notify)
            settings = run.sessions[0]["host_settings"]
            return ids(run), begun, kept(run), run.work.exists(), settings["net.ipv4.tcp_no_metrics_save"]

    planned, begun, found, has_work, setting = as_user(body)
    assert begun == planned
    assert found == set(planned)
    assert not has_work
    assert setting == "1"


def test_killed_sandbox_costs_one_trial(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    first = ids(run)[0]

    def kill_first(event: Event) -> None:
        if isinstance(event, Progress) and not (run.trials / first).exists() and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)  # we are in the sandbox: this is its body

    marker = tmp_path / "killed"
    tally = run_trials(run, dict(SESSION), kill_first)
    assert [event.trial.id for event in tally.aborted] == [first]
    assert "killed from outside (SIGKILL)" in tally.aborted[0].why
    assert kept(run) == {ids(run)[1]}
    again = run_trials(run, dict(SESSION), lambda _event: None)
    assert [event.trial.id for event in again.ended] == [first]
    assert kept(run) == set(ids(run))


def test_three_failures_in_a_row_end_the_run(tmp_path: Path) -> None:
    peers = 'homes: {count: 2, up: 8 Mbit/s, strategy: "no:such"}'
    run = run_of(tmp_path, more=f"repeat: {MOST_FAILURES + 1}\n", peers=peers)
    events: list[Event] = []
    with pytest.raises(RunError, match="3 trials in a row have no result"):
        run_trials(run, dict(SESSION), events.append)
    assert sum(isinstance(event, TrialAborted) for event in events) == MOST_FAILURES
    assert kept(run) == set()
    assert not run.work.exists()


def test_full_disk_keeps_complete_trials(tmp_path: Path) -> None:
    """In a sandbox, where a small file system can be mounted without affecting the machine."""

    def body() -> tuple[str, int, set[str], set[str], list[str], int]:
        small = tmp_path / "small"
        small.mkdir()
        mount("tmpfs", str(small), "tmpfs", 0, "size=1500k")
        run = run_of(small)
        first = run.plan.trials[0].id

        def fill(event: Event) -> None:
            if isinstance(event, TrialEnded) and event.trial.id == first:
                with (small / "others").open("wb", buffering=0) as file:
                    _fill(file.fileno())

        with pytest.raises(RunError) as refused:
            run_trials(run, dict(SESSION), fill)
        kept_when_full = kept(run)
        (small / "others").unlink()
        tally = run_trials(run, dict(SESSION), lambda _event: None)
        cause = refused.value.__cause__
        code = cause.errno if isinstance(cause, OSError) and cause.errno else 0
        return str(refused.value), code, kept_when_full, {first}, ids(run), len(tally.ended)

    message, code, kept_when_full, first, planned, later = sandbox.run(body)
    assert "make room, and run the same command again" in message
    assert code == errno.ENOSPC
    assert kept_when_full == first
    assert (len(planned), later) == (2, 1)


def _fill(descriptor: int) -> None:
    try:
        while os.write(descriptor, bytes(4096)):
            pass
    except OSError as error:
        assert error.errno == errno.ENOSPC  # noqa: PT017  The kernel is tested here, not our code.


def test_first_interrupt_keeps_the_trial(tmp_path: Path) -> None:
    run = run_of(tmp_path)

    def interrupt(event: Event) -> None:
        if isinstance(event, Progress) and not event.is_last:
            os.kill(os.getpid(), signal.SIGINT)

    tally = run_trials(run, dict(SESSION), interrupt)
    assert tally.is_interrupted
    assert kept(run) == {ids(run)[0]}


def test_second_interrupt_drops_the_trial(tmp_path: Path) -> None:
    run = run_of(tmp_path)

    def interrupt(event: Event) -> None:
        if isinstance(event, Progress):
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)

    tally: Tally = run_trials(run, dict(SESSION), interrupt)
    assert tally.is_interrupted
    assert kept(run) == set()
