"""Programs that fail inside a trial: the trial is `failed` and says how, and nobody else is disturbed."""

import json
import os
import signal
from pathlib import Path

import pytest

from testbed.network.features import has_qdisc
from tests.trial.plans import Once, perform, plan_of, program_on

pytestmark = pytest.mark.kernel

MODULE = """
import ctypes, os, signal, subprocess, sys, time
from dataclasses import replace

from peer.bittorrent.strategies.api import Allocation, tit_for_tat


def crash():
    None.unknown

def leave():
    os._exit(0)

def segfault():
    ctypes.string_at(0)

def recursion():
    recursion()

def memory():
    bytearray(4 << 30)

def hang():
    time.sleep(1000)

def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

def spam():
    for _ in range(20):
        print("x" * (1 << 20))

def trash():
    trace = sys.argv[sys.argv.index("--trace") + 1]
    with open(trace, "w") as file:
        file.write('"left" without a brace\\n')

def everybody():
    os.kill(-1, signal.SIGKILL)

def parent():
    os.kill(os.getppid(), signal.SIGKILL)

def daemon():
    subprocess.Popen(["sleep", "1000"], start_new_session=True)


class Choker:
    def __init__(self, how):
        self.how, self.rounds = how, 0

    def allocate(self, view):
        self.rounds += 1
        if self.rounds == 2:
            globals()[self.how]()
        return Allocation({})


def misbehaving(profile, rng, *, how, departure="stay"):
    if how == "start":
        1 / 0
    return replace(tit_for_tat(profile, rng, departure=departure), name="misbehaving", choker=Choker(how))
"""
LINE_OF = {text.strip(): number for number, text in enumerate(MODULE.splitlines(), start=1)}
EXPECTED = {
    "start": f"did not start: ZeroDivisionError: division by zero (misbehaving.py, line {LINE_OF['1 / 0']})",
    "crash": "ended with exit status 1: AttributeError: 'NoneType' object has no attribute 'unknown'"
    f" (misbehaving.py, line {LINE_OF['None.unknown']})",
    "leave": "ended before completion, without leaving",
    "segfault": "was killed: SIGSEGV",
    "recursion": "ended with exit status 1: RecursionError: maximum recursion depth exceeded",
    "memory": f"ended with exit status 1: MemoryError (misbehaving.py, line {LINE_OF['bytearray(4 << 30)']})",
    "hang": "did not end on SIGTERM: SIGKILL",
    "deaf": "did not end on SIGTERM: SIGKILL",
    "spam": "printed more than 16 MiB, and was stopped",
    "trash": "wrote a trace that cannot be read",
    "everybody": "ended with exit status 1: ProcessLookupError",
    "parent": None,
    "daemon": None,
}
"""How each program misbehaves, and what its record says; None for what does no harm."""


def test_misbehaving_programs_are_named_and_disturb_nobody(tmp_path: Path) -> None:
    (tmp_path / "misbehaving.py").write_text(MODULE)
    groups = "\n".join(
        f'{how}: {{count: 1, up: 8 Mbit/s, strategy: {{class: "misbehaving:misbehaving", how: {how}}}}}'
        for how in EXPECTED
    )
    trial = plan_of(tmp_path, peers=f"{groups}\nhonest: {{count: 2, up: 8 Mbit/s}}").trials[0]
    group_of = {peer.name: peer.group for peer in trial.hosts.peers}
    ended, folder = perform(trial, tmp_path)
    hosts = {group_of.get(host["name"], host["name"]): host for host in record_of(folder)["hosts"]}
    for how, expected in EXPECTED.items():
        assert hosts[how]["failed"] is (expected is not None), hosts[how]
        assert (hosts[how]["why"] or "").startswith(expected or ""), hosts[how]
    assert [hosts[name]["why"] for name in ("honest", "server", "tracker") if hosts[name]["failed"]] == []
    assert ended.verdict == "failed"
    assert f"p1 {EXPECTED['start']}" in ended.reasons
    assert "and 8 other programs failed" in ended.reasons
    completed = [name for name, group in group_of.items() if group in {"honest", "parent", "daemon"}]
    assert all(hosts[group_of[name]]["why"] is None for name in completed)


def record_of(folder: Path) -> dict[str, list[dict[str, object]]]:
    record: dict[str, list[dict[str, object]]] = json.loads((folder / "trial.json").read_text())
    return record


def test_killed_program_makes_the_trial_failed(tmp_path: Path) -> None:
    trial = plan_of(tmp_path, base=SLOW).trials[0]
    ended, _ = perform(trial, tmp_path, Once(1.0, lambda: os.kill(program_on("p2"), signal.SIGKILL)))
    assert (ended.verdict, ended.reasons[0]) == ("failed", "p2 was killed: SIGKILL")


def test_trial_without_lateness_is_suspect(tmp_path: Path) -> None:
    trial = plan_of(tmp_path, base=SLOW).trials[0]
    ended, _ = perform(trial, tmp_path, Once(2.0, lambda: os.kill(process_named(b"wakeup_latency"), signal.SIGKILL)))
    assert ended.verdict == "suspect"
    assert "the program that measures the wakeup lateness ended early" in ended.reasons


SLOW = "file: {size: 4 MiB, piece_length: 32 KiB}\nservers: {up: 8 Mbit/s}\ntime_scale: 10\n"


def process_named(word: bytes) -> int:
    commands = ((path.parent.name, path.read_bytes()) for path in Path("/proc").glob("[0-9]*/cmdline"))
    return next(int(pid) for pid, command in commands if word in command)


def test_trial_whose_delay_box_was_killed_is_suspect(tmp_path: Path) -> None:
    peers = "homes: {count: 2, up: 8 Mbit/s, delay: 5 ms}"
    trial = plan_of(tmp_path, base=SLOW, peers=peers, more="time_limit: 6 s\n").trials[0]
    if has_qdisc("netem"):
        pytest.skip("netem delays packets here")
    ended, _ = perform(trial, tmp_path, Once(2.0, lambda: os.kill(process_named(b"testbed-delaybox"), signal.SIGKILL)))
    assert ended.verdict == "suspect"
    assert any("delay box did not last" in reason for reason in ended.reasons)
