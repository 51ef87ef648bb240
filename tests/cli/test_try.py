"""`testbed try`: one trial in virtual time, and what a strategy does wrong there."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testbed.tasks.distribute.programs import virtual

Run = Callable[..., subprocess.CompletedProcess[str]]
SWARM = """\
file: {size: 1 MiB, piece_length: 32 KiB}
servers: {up: 8 Mbit/s}
time_scale: 10
peers:
  homes:
    count: 3
    up: 4 Mbit/s
    strategy: tit-for-tat
"""
DECISION = """\
from dataclasses import replace
from peer.bittorrent.strategies.api import Allocation, tit_for_tat


class Choker:
    def __init__(self):
        self.calls = 0

    def allocate(self, view):
        self.calls += 1
        if self.calls == 3:
            decide(view)
        return Allocation({})


def decide(view):
    DECISION


def make(profile, rng, *, departure="stay"):
    return replace(tit_for_tat(profile, rng), choker=Choker())
"""


@pytest.fixture
def swarm(tmp_path: Path) -> Path:
    file = tmp_path / "swarm.yaml"
    file.write_text(SWARM)
    return file


def try_decision(call: Run, swarm: Path, decision: str) -> subprocess.CompletedProcess[str]:
    """Try a swarm in which one peer's strategy does this in its third decision."""
    one = "  one: {count: 1, up: 4 Mbit/s, strategy: 'own:make'}\n"
    swarm.write_text(SWARM + one)
    swarm.with_name("own.py").write_text(DECISION.replace("DECISION", decision))
    return call("try", swarm)


def complaint(result: subprocess.CompletedProcess[str], folder: Path) -> list[str]:
    assert result.returncode == 1
    return [line.removeprefix("testbed: ").replace(f"{folder}/", "") for line in result.stderr.splitlines()]


def columns(line: str) -> list[str]:
    return line.split()


def test_result_is_compared_with_the_bound_and_listed(call: Run, swarm: Path) -> None:
    result = call("try", swarm)
    assert (result.returncode, result.stderr) == (0, "")
    title, left_out, _, outcome, _, groups, homes, _, heading, *peers = result.stdout.splitlines()
    assert title == "swarm: trial 1 of 1"
    assert left_out.startswith("virtual time has no TCP, ")
    assert outcome.startswith("complete after ")
    assert outcome.endswith(" times the payload bound (1.32 s)")
    assert columns(groups) == ["group", "peers", "complete", "first", "s", "mean", "s", "last", "s"]
    assert columns(homes)[:3] == ["homes", "3", "3"]
    assert columns(heading) == ["peer", "group", "complete", "received", "sent"]
    assert [columns(line)[:2] for line in peers] == [["p1", "homes"], ["p2", "homes"], ["p3", "homes"]]
    assert sorted(path.name for path in swarm.parent.iterdir()) == ["swarm.yaml"]


def test_table_tells_arrivals_departures_and_what_is_missing(call: Run, swarm: Path) -> None:
    group = "    arrival: {uniform: 2 s}\n    departure: {after: 700 ms}\n    delay: 20 ms\n"
    swarm.write_text(SWARM.replace("homes:", "homes_in_a_long_name:") + group)
    result = call("try", swarm)
    lines = result.stdout.splitlines()
    assert lines[3].startswith("all ended after ")
    assert lines[3].endswith(": 0 of 3 peers complete")
    expected = ["peer", "group", "joined", "complete", "has", "received", "sent", "left"]
    assert columns(lines[8]) == expected
    assert lines[9].endswith("  after 0.7 s")
    assert max(map(len, lines)) <= 80


def test_progress_is_shown_on_a_terminal_only(on_terminal: Callable[..., Any], command: Path, swarm: Path) -> None:
    terminal = on_terminal("try", str(swarm))
    assert "0 of 3 peers complete, " in terminal.read_until("complete after ")
    assert terminal.exit_status() == 0


def test_trial_is_named_by_number_or_part_of_its_id(call: Run, swarm: Path) -> None:
    swarm.write_text(f"{SWARM}sweep:\n  peers.homes.count: [2, 3]\n")
    assert call("try", swarm).stdout.startswith("swarm: trial 1 of 2: count 2\n")
    assert call("try", swarm, "--trial", 2).stdout.startswith("swarm: trial 2 of 2: count 3\n")
    assert call("try", swarm, "--trial", "count-3").stdout.startswith("swarm: trial 2 of 2: count 3\n")
    unknown = call("try", swarm, "--trial", "count-5")
    assert unknown.returncode == 2
    assert "there is no trial 'count-5'" in unknown.stderr


def test_same_seed_gives_the_same_result(call: Run, swarm: Path) -> None:
    def result(*options: object) -> Any:
        return json.loads(call("try", swarm, "--json", *options).stdout)

    first, again, other = result(), result("--seed", 1), result("--seed", 2)
    assert first == again != other
    assert first["stopped"] == "complete"
    assert [each["name"] for each in first["participants"]] == ["p1", "p2", "p3"]
    assert len({first["trial"], other["trial"]}) == 2


def test_mid_way_departure_and_held_pieces_are_tried(call: Run, swarm: Path) -> None:
    more = "    start: {peers: 1, with: 50 %}\n    departure: {mid_way: {at: 60 %, back_after: 5 s}}\n"
    swarm.write_text(SWARM + more)
    result = json.loads(call("try", swarm, "--json").stdout)
    assert result["stopped"] == "complete"
    assert min(each["completed"] for each in result["participants"]) > 5
    assert sorted(each["received"] < 700_000 for each in result["participants"]) == [False, False, True]


@pytest.mark.parametrize(
    ("decision", "problem"),
    [
        ("return 1 / 0", "ZeroDivisionError: division by zero"),
        ("return view.rates", "AttributeError: 'ChokingView' object has no attribute 'rates'"),
        ("exit(3)", "SystemExit: 3"),
        ("return bytearray(8 << 30)", "MemoryError: it needs more memory than it may have"),
        ("return decide(view)", "RecursionError: maximum recursion depth exceeded"),
    ],
)
def test_exception_is_told_with_peer_time_and_lines(call: Run, swarm: Path, decision: str, problem: str) -> None:
    first, *lines = complaint(try_decision(call, swarm, decision), swarm.parent)
    who, _, rest = first.partition(" failed after ")
    assert who == "p4 (one)"
    assert rest.endswith(f" s: {problem}")
    assert lines[:2] == ["  own.py:12, in allocate", "    decide(view)"]
    assert lines[-2:] == ["  own.py:17, in decide", f"    {decision}"]


@pytest.mark.parametrize("loop", ["while True: pass", "import re; re.match('(a*)*b', 'a' * 99)"])
def test_endless_decision_is_told_with_peer_and_line(
    call: Run, swarm: Path, monkeypatch: pytest.MonkeyPatch, loop: str
) -> None:
    monkeypatch.setattr(virtual, "SECONDS", 1)
    first, *lines = complaint(try_decision(call, swarm, loop), swarm.parent)
    assert first.startswith("p4 (one) failed after ")
    assert first.endswith(": one decision takes longer than 1 s")
    assert lines[-2:] == ["  own.py:17, in decide", f"    {loop}"]


def test_decision_that_ignores_signals_is_ended_all_the_same(
    call: Run, swarm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(virtual, "SECONDS", 1)
    loop = "import signal; signal.signal(signal.SIGALRM, signal.SIG_IGN); [0 for _ in iter(int, 1)]"
    first, *lines = complaint(try_decision(call, swarm, loop), swarm.parent)
    assert first.startswith("a strategy failed after ")
    assert first.endswith(" s or later: one decision takes longer than 1 s")
    assert "  own.py:17, in decide" in lines


@pytest.mark.parametrize(
    ("decision", "problem", "has_line"),
    [
        ("import os; os._exit(5)", "it ended its process with exit status 5", False),
        ("import ctypes; ctypes.string_at(0)", "it crashed: Segmentation fault (SIGSEGV)", True),
    ],
)
def test_end_of_the_process_is_told(call: Run, swarm: Path, decision: str, problem: str, has_line: bool) -> None:
    first, *lines = complaint(try_decision(call, swarm, decision), swarm.parent)
    assert first.startswith("a strategy failed after ")
    assert first.endswith(f" s or later: {problem}")
    assert lines[-2:] == (["  own.py:17, in decide", f"    {decision}"] if has_line else [])


def test_strategy_can_print(call: Run, swarm: Path) -> None:
    result = try_decision(call, swarm, "print('round', view.is_seed)")
    assert result.returncode == 0
    assert result.stderr == "round False\n"


def test_strategy_that_cannot_be_made_is_at_its_place(call: Run, swarm: Path) -> None:
    swarm.write_text(SWARM.replace("tit-for-tat", "{class: swift, spede: 1}"))
    result = call("try", swarm)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"testbed: {swarm}:8:30: peers.homes.strategy.spede: swift: there is no parameter")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ("distribution: client-server\n", "virtual time has no client-server, only BitTorrent: `testbed run` measures"),
        ("discovery: both\n", "virtual time has no DHT: "),
        ("failures: [{at: 9 s, kill: tracker}]\n", "virtual time has no `failures:`: "),
        ("topology: {class: two-isps, bottleneck: 10 Mbit/s}\n", "virtual time has no topology two-isps, only star"),
        ("    loss: 1 %\n    delay: 5 ms\n    jitter: 1 ms\n", "virtual time has no `loss:` and no `jitter:`"),
        ("    encryption: prefer\n", "virtual time has no `encryption:`"),
    ],
)
def test_what_virtual_time_lacks_is_refused(call: Run, swarm: Path, more: str, reason: str) -> None:
    swarm.write_text(SWARM + more)
    result = call("try", swarm)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"testbed: {swarm}: {reason}")


def test_refusal_names_a_trial_that_can_be_tried(call: Run) -> None:
    result = call("try", "quickstart")
    assert result.returncode == 2
    assert result.stderr.endswith("; `--trial 2` can be tried\n")
