"""Run folders for tests: real plans, and trials whose every number is written by hand."""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from testbed.experiment import Plan, Trial
from tests.experiment.files import planned

T0 = 5000.0
"""CLOCK_MONOTONIC at t = 0."""

Events = list[dict[str, Any]]
Counts = tuple[float, str, int, int, int, int, int, int]

CALM: dict[str, Any] = {
    "verdict": "valid",
    "reasons": [],
    "lowest_idle_cpu": 0.5,
    "worst_lateness_ms": 1.5,
    "loop_lateness_ms": 6.0,
    "run_delay_ms_per_s": 40.0,
    "psi_cpu": 0.2,
    "core_drops": 0,
    "limits": [],
}
DISTURBED = CALM | {"verdict": "suspect", "reasons": ["programs woke 30.0 ms late"], "worst_lateness_ms": 30.0}


def header(t: float = 0.0) -> dict[str, Any]:
    return {"t": T0 + t, "event": "trace", "version": 1, "unix": 1.0, "program": "testbed 0.1.0"}


def event(t: float, kind: str, **fields: Any) -> dict[str, Any]:
    return {"t": T0 + t, "event": kind, **fields}


def joined(t: float, name: str) -> dict[str, Any]:
    return event(t, "joined", peer_id=f"-TB0100-{name}", info_hash="00", port=6881)


def opened(t: float, pieces: int, have: int) -> dict[str, Any]:
    return event(t, "opened", name="f", length=1, piece_length=1, piece_count=pieces, have_count=have)


def connected(t: float, neighbour: int, address: str, name: str = "") -> Events:
    made = event(t, "connected", neighbour=neighbour, address=f"{address}:6881", is_outgoing=True)
    known = event(
        t, "handshaken", neighbour=neighbour, peer_id=f"-TB0100-{name}", client="", is_fast=True, is_extended=True
    )
    return [made, known] if name else [made]


def moved(t: float, *rows: tuple[int, int, int]) -> dict[str, Any]:
    return event(t, "moved", bytes=[list(row) for row in rows])


def unchoked(t: float, neighbour: int, *, by_us: bool = True) -> dict[str, Any]:
    return event(t, "unchoked", neighbour=neighbour, by_us=by_us)


def choked(t: float, neighbour: int, *, by_us: bool = True) -> dict[str, Any]:
    return event(t, "choked", neighbour=neighbour, by_us=by_us)


def piece(t: float, index: int, have: int) -> dict[str, Any]:
    return event(t, "piece_completed", index=index, have_count=have, neighbours=[1])


def completed(t: float, wasted: int = 0) -> dict[str, Any]:
    return event(t, "completed", received=0, sent=0, wasted=wasted)


def left(t: float, wasted: int = 0, reason: str = "SIGTERM") -> dict[str, Any]:
    return event(t, "left", reason=reason, have_count=0, received=0, sent=0, wasted=wasted)


@dataclass
class Happened:
    """What a trial left behind."""

    traces: Mapping[str, Events]
    counters: Sequence[Counts]
    end: float
    hosts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Changes to the records of some hosts."""
    links: Sequence[Mapping[str, Any]] = ()
    fidelity: Mapping[str, Any] = field(default_factory=lambda: CALM)
    stopped: str = "complete"
    captures: Sequence[Mapping[str, Any]] = ()


def address(number: int) -> str:
    return f"198.18.0.{number}"


def addresses(trial: Trial) -> dict[str, str]:
    return {host.name: address(k) for k, host in enumerate(trial.hosts.all, start=1)}


def write_run(folder: Path, text: str) -> Plan:
    """Write what a run has before its first trial."""
    plan = planned(folder, text)
    (folder / "experiment.yaml").write_text((folder / "x.yaml").read_text())
    (folder / "plan.json").write_text(plan.to_json())
    (folder / "trials").mkdir()
    return plan


def write_trial(run: Path, trial: Trial, happened: Happened) -> Path:
    """Write a trial's folder, and return it."""
    folder = run / "trials" / trial.id
    folder.mkdir()
    (folder / "trial.json").write_text(json.dumps(record(trial, happened)))
    for name, events in happened.traces.items():
        write_lines(folder / f"{name}.jsonl.gz", (json.dumps(each, separators=(",", ":")) for each in events))
    heading = "t,host,up_bytes,up_packets,up_drops,down_bytes,down_packets,down_drops"
    write_lines(folder / "counters.csv.gz", [heading, *(",".join(map(str, row)) for row in happened.counters)])
    return folder


def write_lines(file: Path, lines: Iterable[str]) -> None:
    file.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))


def record(trial: Trial, happened: Happened) -> dict[str, Any]:
    return {
        "version": 1,
        "id": trial.id,
        "trial": trial.model_dump(mode="json"),
        "t0": T0,
        "end": T0 + happened.end,
        "stopped": happened.stopped,
        "hosts": [
            _host(name, where, name in happened.traces) | dict(happened.hosts.get(name, {}))
            for name, where in addresses(trial).items()
        ],
        "links": list(happened.links),
        "fidelity": dict(happened.fidelity),
        "captures": list(happened.captures),
    }


def _host(name: str, where: str, has_trace: bool) -> dict[str, Any]:
    role = "tracker" if name == "tracker" else "server" if name.startswith("server") else "peer"
    trace = f"{name}.jsonl.gz" if has_trace else None
    return {"name": name, "role": role, "address": where, "exit_code": 0, "signal": None, "why": None, "trace": trace}


GOLDEN = """\
title: Three hosts
file: {size: 2 MB, piece_length: 1 MiB}
servers: {up: 8 Mbit/s}
peers:
  fast: {count: 1, up: 4 Mbit/s, down: 16 Mbit/s}
  slow: {count: 1, up: 4 Mbit/s, down: 16 Mbit/s}
trace_level: pieces
"""
"""F/u_s = 2 s, F/d_min = 1 s, N F/(u_s + sum u_i) = 2 s."""


def golden(*, late: float = 0.0, fidelity: Mapping[str, Any] = CALM) -> Happened:
    """A server and two peers with two pieces.

    The server sends p1 and p2 1.5 MB each, p1 sends p2 0.75 MB, p2 sends p1 0.5 MB; p2 wastes 0.25 MB. p1 is done at
    4 s, and p2 at 5 s, and leaves at 6 s; `late` is added to p2's completion. Each link carries 66 bytes of headers for
    each packet, and 1 % of messages.
    """
    server, one, two = address(1), address(3), address(4)
    traces = {
        "server": [
            header(-1),
            joined(-1, "server"),
            opened(-1, 2, 2),
            *connected(0.2, 1, one, "p1"),
            *connected(0.2, 2, two, "p2"),
            unchoked(0.5, 1),
            unchoked(0.5, 2),
            moved(1.5, (1, 0, 500_000), (2, 0, 500_000)),
            choked(3.5, 2),
            moved(2.5, (1, 0, 1_000_000), (2, 0, 1_000_000)),
            left(8.0),
        ],
        "p1": [
            header(-0.5),
            joined(-0.5, "p1"),
            opened(-0.5, 2, 0),
            *connected(0.2, 1, server, "server"),
            *connected(0.3, 2, two, "p2"),
            unchoked(1.0, 2),
            choked(2.0, 2),
            unchoked(3.0, 2),
            moved(1.5, (1, 500_000, 0)),
            piece(1.6, 0, 1),
            moved(2.5, (1, 1_000_000, 0), (2, 0, 750_000)),
            moved(3.9, (2, 500_000, 0)),
            piece(4.0, 1, 2),
            completed(4.0),
            event(4.5, "disconnected", neighbour=2, by_us=True, reason="", received=0, sent=0),
            left(8.0),
        ],
        "p2": [
            header(-0.5),
            joined(-0.5, "p2"),
            opened(-0.5, 2, 0),
            *connected(0.2, 1, server, "server"),
            *connected(0.3, 2, one, "p1"),
            moved(1.5, (1, 500_000, 0)),
            moved(2.5, (1, 1_000_000, 0), (2, 750_000, 500_000)),
            piece(3.0, 1, 1),
            piece(5.0 + late, 0, 2),
            completed(5.0 + late, wasted=250_000),
            left(6.0 + late, wasted=250_000, reason="at completion"),
        ],
    }
    return Happened(traces, golden_counters(), end=8.0 + late, fidelity=fidelity, links=golden_links())


def golden_counters() -> list[Counts]:
    """Return counters that grow evenly between 1 s and 5 s, and then stay."""
    rows: list[Counts] = []
    for t in range(1, 9):
        part = min(max(t - 1, 0), 4) / 4
        for host, payload, packets in (("server", 3_000_000, 2000), ("p1", 750_000, 500), ("p2", 500_000, 400)):
            sent = round(part * (1.01 * payload + 66 * packets))
            rows.append((float(t), host, sent, round(part * packets), 2 if t > 2 else 0, 2 * sent, packets, 1))
    return rows


def golden_links() -> list[dict[str, Any]]:
    return [
        {"host": "p1", "direction": "up", "asked": 4e6, "measured": 3.9e6, "fastest": 3.96e6, "busy_s": 6.0},
        {"host": "p1", "direction": "down", "asked": 16e6, "measured": None, "fastest": None, "busy_s": 0.0},
        {"host": "server", "direction": "up", "asked": 8e6, "measured": 7e6, "fastest": 7e6, "busy_s": 2.0},
    ]
