"""Runs of a small swarm that was made up, with everything that a page can show."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from testbed.experiment import Plan, Trial
from testbed.results import Report, report
from tests.runfolder.runs import (
    CALM,
    DISTURBED,
    Events,
    Happened,
    addresses,
    choked,
    completed,
    connected,
    event,
    header,
    joined,
    left,
    moved,
    opened,
    piece,
    unchoked,
    write_run,
    write_trial,
)

PIECES = 16
PIECE = 64 * 1024

EXPERIMENT = """\
title: Free riders & <script>alert("title")</script> others
question: How fast is a peer that gives nothing?
file: {size: 1 MiB, piece_length: 64 KiB}
servers: {up: 8 Mbit/s}
peers:
  others: {count: 6, up: 4 Mbit/s, down: 16 Mbit/s}
  riders: {count: 2, up: 4 Mbit/s, down: 16 Mbit/s}
trace_level: pieces
sweep: {peers.riders.strategy: [tit-for-tat, bitthief]}
pair: peers.riders.strategy
repeat: 3
figures:
  gain: {x: share, y: download_mean_s, compared: gain, where: group = riders}
  done: {kind: cdf}
expect:
  - completed.min = 2 where group = riders
  - gain.mean > 5 where group = riders
"""
NAMES = tuple(f"p{number}" for number in range(1, 9))
RIDERS = NAMES[6:]


def small_run(folder: Path, text: str = EXPERIMENT) -> Report:
    """Write a run with a suspect trial, and report it."""
    plan = write_run(folder, text)
    write_trials(folder, plan)
    provenance = '{"version": 1, "sessions": [{"started": "then", "ended": "later", "command": ["testbed", "run"]}]}'
    (folder / "provenance.json").write_text(provenance)
    return report(folder)


HOSTILE = '</script><img src=x onerror="alert(1)">'


def hostile_run(folder: Path) -> Path:
    """Write a run whose group of riders has a name that no experiment file can have, and return its page."""
    write_trials(folder, write_run(folder, EXPERIMENT.replace("repeat: 3", "repeat: 1")))
    for file in (folder / "plan.json", *folder.glob("trials/*/trial.json")):
        file.write_text(file.read_text().replace('"group": "riders"', f'"group": {json.dumps(HOSTILE)}'))
    made = report(folder)
    assert made.page is not None
    return made.page


def write_trials(folder: Path, plan: Plan) -> None:
    for number, trial in enumerate(plan.trials):
        write_trial(folder, trial, swarm(trial, disturbed=number == len(plan.trials) - 1))


def swarm(trial: Trial, *, disturbed: bool = False) -> Happened:
    """Two partners give to each other and to the next; riders get from the server alone, after the others.

    The first piece of everybody is at 1 s, the last of the others at 8.5 s; riders have theirs twice as late. p1 leaves
    at 12 s, and p6 comes at 2 s.
    """
    hosts = addresses(trial)
    slow = 2.0 if trial.point["peers.riders.strategy"] == "bitthief" else 1.2 + 0.1 * trial.repetition
    traces = {"server": _server(hosts)} | {name: _peer(name, hosts, slow) for name in NAMES}
    links = [
        {"host": name, "direction": "up", "asked": 4e6, "measured": 3.9e6, "fastest": 3.97e6, "busy_s": 9.0}
        for name in NAMES
    ]
    fidelity = DISTURBED if disturbed else CALM
    return Happened(traces, list(_counters()), end=20.0, fidelity=fidelity, links=links)


def _counters() -> Iterator[tuple[Any, ...]]:
    for t in range(1, 21):
        for host in ("server", *NAMES):
            yield (float(t), host, 70_000 * t, 50 * t, 0, 70_000 * t, 50 * t, 0)


def _neighbours(name: str) -> dict[str, int]:
    return {other: number for number, other in enumerate(("server", *NAMES), start=1) if other != name}


def _server(hosts: Mapping[str, str]) -> Events:
    numbers = _neighbours("server")
    meetings = [each for other, number in numbers.items() for each in connected(0.2, number, hosts[other], other)]
    slots = [unchoked(0.5, numbers[other]) for other in NAMES if other not in RIDERS]
    late = [unchoked(9.0, numbers[rider]) for rider in RIDERS]
    return _sorted([*meetings, *slots, *late, left(20.0)], "server", have=PIECES)


def _peer(name: str, hosts: Mapping[str, str], slow: float) -> Events:
    numbers, is_rider = _neighbours(name), name in RIDERS
    begin = 2.0 if name == "p6" else 0.0
    partner = NAMES[NAMES.index(name) ^ 1]
    meetings = [
        each for other, number in numbers.items() for each in connected(begin + 0.2, number, hosts[other], other)
    ]
    wishes = [event(begin + 0.3, "interested", neighbour=numbers["server"], by_us=True, is_interested=True)]
    slots = [] if is_rider else list(_slots(numbers, partner, begin))
    times = [begin + (0.5 + 0.5 * number) * (slow if is_rider else 1.0) + 0.5 for number in range(1, PIECES + 1)]
    pieces = [piece(t, _piece(name, number), number + 1) for number, t in enumerate(times)]
    source = numbers["server"] if is_rider else numbers[partner]
    bytes_moved = [moved(t + 0.01, (source, PIECE, 0 if is_rider else PIECE)) for t in times]
    end = left(12.0, reason="at completion") if name == "p1" else left(20.0)
    events = [*meetings, *wishes, *slots, *pieces, *bytes_moved, completed(times[-1] + 0.02), end]
    return _sorted(events, name, have=0, begin=begin)


def _slots(numbers: Mapping[str, int], partner: str, begin: float) -> Iterator[dict[str, Any]]:
    yield event(begin + 0.5, "unchoked", neighbour=numbers[partner], by_us=True, reason="optimistic")
    yield choked(begin + 3.0, numbers[partner])
    yield event(begin + 3.5, "unchoked", neighbour=numbers[partner], by_us=True, reason="reciprocates")


def _piece(name: str, number: int) -> int:
    return (number + 3 * NAMES.index(name)) % PIECES


def _sorted(events: Sequence[dict[str, Any]], name: str, *, have: int, begin: float = 0.0) -> Events:
    first = [header(begin - 0.5), joined(begin - 0.5, name), opened(begin - 0.5, PIECES, have)]
    return [*first, *sorted(events, key=lambda each: each["t"])]
