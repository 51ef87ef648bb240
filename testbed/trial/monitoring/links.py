"""The links during a trial: what each direction carried, and whether it gave its rate while it was busy.

A direction is busy for a second if data waited at its shaper when the second began, when it ended, and at every look in
between. Even then it may give less than its rate, since its queue can be empty for a moment that no look saw. So the
fastest busy second is kept besides the mean: it may not exceed the rate, and on a link that was busy for long it must
reach it.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Protocol, Self

from testbed.network import EmulatedHost, Network
from testbed.network.build.nodes import ShapedIntf
from testbed.network.counters import LinkCounters
from testbed.network.links.shape import FRAME_BYTES
from testbed.trial.monitoring.interface_counters import InterfaceCounters

SHORTEST_BUSY_SECONDS: Final = 0.5
"""No rate is computed over a shorter time: a burst would be too large a part of it."""
MOST_LOOKED_AT: Final = 200
"""How many ends are looked at within a second. Where data waits at more, they take turns; the others are not busy."""
COLUMNS: Final = ("t", "host", "up_bytes", "up_packets", "up_drops", "down_bytes", "down_packets", "down_drops")


class Counted(Protocol):
    """One direction at one moment."""

    @property
    def time(self) -> float: ...  # CLOCK_MONOTONIC

    @property
    def sent_bytes(self) -> int: ...  # of frames

    @property
    def sent_packets(self) -> int: ...

    @property
    def dropped_packets(self) -> int: ...


Reading = Mapping[ShapedIntf, Counted]


@dataclass
class LinkUse:
    """One direction of one link over a trial; rates in bit/s of frames."""

    host: str
    direction: str
    asked: int | None
    burst_bytes: int = 0
    sent_bytes: int = 0
    drops: int = 0
    busy_seconds: float = 0.0
    busy_bytes: int = 0
    fastest: float = 0.0
    """The rate of the fastest busy second."""
    looks: int = 0
    """How often data was seen to wait in busy seconds."""

    @property
    def measured(self) -> float | None:
        """The mean rate while it was busy; None if it never was."""
        return 8 * self.busy_bytes / self.busy_seconds if self.busy_seconds else None

    def add_busy(self, sent_bytes: int, seconds: float, looks: int) -> None:
        """Add a time in which data waited at every look."""
        self.busy_bytes += sent_bytes
        self.busy_seconds += seconds
        self.looks += looks
        self.fastest = max(self.fastest, 8 * sent_bytes / seconds)

    def row(self) -> dict[str, object]:
        measured = self.measured
        return {
            "host": self.host,
            "direction": self.direction,
            "asked": self.asked,
            "measured": None if measured is None else round(measured),
            "fastest": round(self.fastest) if self.busy_seconds else None,
            "busy_s": round(self.busy_seconds, 3),
            "looks": self.looks,
            "bytes": self.sent_bytes,
            "drops": self.drops,
        }


@dataclass
class LinkMonitor:
    """Reads all counters when it is asked to, and keeps them."""

    network: Network
    rows: list[tuple[object, ...]] = field(default_factory=list, init=False)
    _first: Reading = field(default_factory=dict, init=False)
    _last: Reading = field(default_factory=dict, init=False)
    _always_waited: dict[ShapedIntf, None] = field(default_factory=dict, init=False)
    """Ends at which data waited when this second began, and at every look since."""
    _looks: int = field(default=0, init=False)
    _turn: int = field(default=0, init=False)
    _stack: ExitStack = field(default_factory=ExitStack, init=False)

    def __enter__(self) -> Self:
        ends = [end for link in self.network.links for end in link.ends]
        self._uses = {end: _use_of(end) for end in ends}
        self._shaped = self._stack.enter_context(LinkCounters(ends))
        unshaped = [host for host in self.network.hosts if None in {end.shape.rate for end in _both_ends(host)}]
        self._unshaped = self._stack.enter_context(InterfaceCounters(unshaped))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stack.close()

    @property
    def uses(self) -> list[LinkUse]:
        """Every direction of every link."""
        return list(self._uses.values())

    def begin(self) -> None:
        """Start counting."""
        self._first = self._last = self._read()

    def look(self) -> None:
        """Check where data still waits, within a second."""
        self._always_waited = {end: None for end in self._always_waited if self._shaped.waiting(end)}
        self._looks += 1

    def sample(self, t0: float) -> None:
        """Keep the present counts."""
        before, now = self._last, self._read()
        for end, count in now.items():
            self._add(end, before[end], count)
        for host in self.network.hosts:
            up, down = _both_ends(host)
            moment = round(now[up].time - t0, 4)
            self.rows.append((moment, host.name, *self._since_begin(up, now), *self._since_begin(down, now)))
        self._last = now
        self._always_waited = dict.fromkeys(self._chosen([end for end, count in now.items() if _waits(count)]))
        self._looks = 0

    def received(self) -> dict[str, int]:
        """Return the bytes of frames that each host received so far."""
        downs = {host.name: host.access.peer for host in self.network.hosts}
        return {name: self._uses[end].sent_bytes for name, end in downs.items()}

    def total_sent(self) -> int:
        """Return the bytes of frames that all hosts sent so far."""
        return sum(self._uses[host.access].sent_bytes for host in self.network.hosts)

    def _read(self) -> dict[ShapedIntf, Counted]:
        counts: dict[ShapedIntf, Counted] = dict(self._unshaped.read())
        counts |= {end: count.data for end, count in self._shaped.read().items()}
        return counts

    def _chosen(self, waiting: list[ShapedIntf]) -> list[ShapedIntf]:
        """Return as many as can be looked at, different ones each time."""
        start = self._turn % max(1, len(waiting))
        self._turn += MOST_LOOKED_AT
        return [*waiting[start:], *waiting[:start]][:MOST_LOOKED_AT]

    def _since_begin(self, end: ShapedIntf, now: Reading) -> tuple[int, int, int]:
        first, last = self._first[end], now[end]
        return (
            last.sent_bytes - first.sent_bytes,
            last.sent_packets - first.sent_packets,
            last.dropped_packets - first.dropped_packets,
        )

    def _add(self, end: ShapedIntf, before: Counted, now: Counted) -> None:
        use, sent = self._uses[end], now.sent_bytes - before.sent_bytes
        use.sent_bytes += sent
        use.drops += now.dropped_packets - before.dropped_packets
        if end in self._always_waited and _waits(now) and now.time - before.time >= SHORTEST_BUSY_SECONDS:
            use.add_busy(sent, now.time - before.time, self._looks + 1)


def _waits(count: Counted) -> bool:
    return getattr(count, "waiting_bytes", 0) > 0


def _both_ends(host: EmulatedHost) -> tuple[ShapedIntf, ShapedIntf]:
    """Return the ends by which a host's packets leave it, and leave the core for it."""
    return host.access, host.access.peer


def _use_of(end: ShapedIntf) -> LinkUse:
    burst = end.shape.burst_bytes + FRAME_BYTES if end.shape.rate is not None else 0
    if isinstance(end.home, EmulatedHost):
        return LinkUse(end.home.name, "up", end.shape.rate, burst)
    if isinstance(end.peer.home, EmulatedHost):
        return LinkUse(end.peer.home.name, "down", end.shape.rate, burst)
    return LinkUse(f"{end.home.name}-{end.peer.home.name}", "trunk", end.shape.rate, burst)
