"""Check the links of a network: rates alone and with all others busy, and delay and loss of paths."""

import contextlib
import select
import socket
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Final, Literal

from testbed.network.build.nodes import EmulatedHost, ShapedIntf
from testbed.network.check.measure import DirectionReport, measure, own_load
from testbed.network.links.shape import FRAME_BYTES, MIN_RATE
from testbed.network.network import Network

Alone = Literal["kinds", "all", "none"]

_LEAST_FRAMES: Final = 100
_ECHO_PORT: Final = 7
_PROBE_BYTES: Final = 18
_PROBE_FRAME_BYTES: Final = 60
_PROBE_SHARE: Final = 0.1
_PROBE_SECONDS: Final = 2.0
_MOST_PROBES: Final = 500
_PATIENCE_SECONDS: Final = 0.5


@dataclass(frozen=True)
class PathReport:
    """A round trip between two hosts over idle links: configured against measured."""

    path: str
    asked_rtt_ms: float
    asked_jitter_ms: float
    asked_loss: float
    rtt_min_ms: float
    rtt_median_ms: float
    rtt_max_ms: float
    probes: int
    lost: int

    @property
    def loss(self) -> float:
        """The share of probes that did not return."""
        return self.lost / self.probes

    def within(self, tolerance_ms: float = 2.0) -> bool:
        """Return whether the median round trip is as configured, and the loss within what chance allows (99.99 %)."""
        spread = 3.9 * (self.asked_loss * (1 - self.asked_loss) / self.probes) ** 0.5
        error_ms = abs(self.rtt_median_ms - self.asked_rtt_ms)
        on_time = error_ms <= tolerance_ms + self.asked_jitter_ms / 2 or self.lost == self.probes
        return on_time and abs(self.loss - self.asked_loss) <= spread + 1 / self.probes

    def row(self) -> dict[str, object]:
        """The report as one row of a table."""
        return asdict(self)


def shaped_directions(network: Network) -> list[ShapedIntf]:
    """Return the link end where each direction with a rate is shaped."""
    return [end for link in network.links for end in link.ends if end.shape.rate is not None]


def one_of_each_kind(ends: Iterable[ShapedIntf]) -> list[ShapedIntf]:
    """Return the first direction of each shape and side."""
    kinds: dict[object, ShapedIntf] = {}
    for end in ends:
        kinds.setdefault((end.shape, type(end.home)), end)
    return list(kinds.values())


def check_rates(
    network: Network,
    *,
    seconds: float,
    alone: Alone = "kinds",
    streams: int = 1,
    tell: Callable[[str], None] = lambda _text: None,
) -> list[DirectionReport]:
    """Measure directions one by one (all, one of each kind, or none), then all at once."""
    ends = shaped_directions(network)
    single: dict[Alone, Sequence[ShapedIntf]] = {"kinds": one_of_each_kind(ends), "all": ends, "none": []}
    reports = []
    for end in single[alone]:
        tell(f"{end.name} alone")
        reports += measure([own_load(network, end, streams)], _long_enough([end], seconds))
    if ends:
        tell(f"all {len(ends)} directions at the same time")
        reports += measure([own_load(network, end, streams) for end in ends], _long_enough(ends, seconds))
    return reports


def _long_enough(ends: Sequence[ShapedIntf], seconds: float) -> float:
    """Return a duration in which a single frame is a negligible part, even on the slowest link."""
    slowest = min(end.shape.rate or MIN_RATE for end in ends)
    return max(seconds, _LEAST_FRAMES * FRAME_BYTES * 8 / slowest)


def check_paths(network: Network, tell: Callable[[str], None] = lambda _text: None) -> list[PathReport]:
    """Measure the round trip from a host to the next one, once for each kind of path with delay or loss."""
    fabric = network.mininet.fabric
    hosts, kinds, reports = network.hosts, set(), []
    for here, there in zip(hosts, [*hosts[1:], *hosts[:1]], strict=True):
        ends = [*fabric.path(here, there), *fabric.path(there, here)]
        kind = tuple(end.shape for end in ends)
        if here is there or kind in kinds or not any(shape.impairment for shape in kind):
            continue
        kinds.add(kind)
        tell(f"the round trip {here.name} - {there.name}")
        reports.append(_round_trips(here, there, ends))
    return reports


def _round_trips(here: EmulatedHost, there: EmulatedHost, ends: Sequence[ShapedIntf]) -> PathReport:
    impairments = [end.shape.impairment for end in ends]
    asked_ms = sum(impairment.delay_us for impairment in impairments) / 1000
    jitter_ms = sum(impairment.jitter_us for impairment in impairments) / 1000
    kept = 1.0
    for impairment in impairments:
        kept *= 1 - impairment.loss
    slowest = min((end.shape.rate for end in ends if end.shape.rate), default=10_000_000)
    pause = _PROBE_FRAME_BYTES * 8 / (slowest * _PROBE_SHARE)
    probes = int(min(_MOST_PROBES, max(20, _PROBE_SECONDS / pause)))
    trips = _echo(here, there, probes, pause, asked_ms / 1000 + jitter_ms / 1000 + _PATIENCE_SECONDS)
    times = [trip * 1000 for trip in trips] or [float("inf")]
    return PathReport(
        path=f"{here.name} - {there.name}",
        asked_rtt_ms=asked_ms,
        asked_jitter_ms=jitter_ms,
        asked_loss=1 - kept,
        rtt_min_ms=min(times),
        rtt_median_ms=statistics.median(times),
        rtt_max_ms=max(times),
        probes=probes,
        lost=probes - len(trips),
    )


def _echo(here: EmulatedHost, there: EmulatedHost, probes: int, pause: float, patience: float) -> list[float]:
    """Send numbered datagrams to a host that echoes them; return the round-trip times in seconds."""
    with here.inside():
        near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with there.inside():
        far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with near, far:
        far.bind((str(there.address), _ECHO_PORT))
        near.connect((str(there.address), _ECHO_PORT))
        near.setblocking(False)
        far.setblocking(False)
        return _exchange(near, far, probes, pause, patience)


def _exchange(near: socket.socket, far: socket.socket, probes: int, pause: float, patience: float) -> list[float]:
    sent: dict[int, float] = {}
    trips: dict[int, float] = {}
    next_probe = time.monotonic()
    deadline = next_probe + probes * pause + patience
    while len(trips) < probes and (now := time.monotonic()) < deadline:
        if len(sent) < probes and now >= next_probe:
            number = len(sent)
            sent[number] = time.monotonic()
            near.send(number.to_bytes(4) + bytes(_PROBE_BYTES - 4))
            next_probe = now + pause
        wait = next_probe if len(sent) < probes else deadline
        ready, _, _ = select.select([near, far], [], [], max(0.0, wait - time.monotonic()))
        with contextlib.suppress(BlockingIOError):
            if far in ready:
                data, sender = far.recvfrom(_PROBE_BYTES)
                far.sendto(data, sender)
            if near in ready:
                number = int.from_bytes(near.recv(_PROBE_BYTES)[:4])
                trips.setdefault(number, time.monotonic() - sent[number])
    return list(trips.values())
