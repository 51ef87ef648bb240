"""Measured rates of links, beside the configured ones.

A load saturates one direction of one link with TCP streams. `own_load` runs them between the two ends of that link, so
that no other link matters; other loads can have longer paths. `measure` runs any number of loads at once.

    asked       the configured rate
    wire        what left the shaper after the first second, over the rate
    steady      payload delivered after the first second, over what the rate allows (x 1448/1514 for TCP)
    first       the payload of the first second, over the same
    low, high   the least and the most that left the shaper in 100 ms after the first second, over the rate
    peak        the most that left it in any 100 ms, the first second included
    queue       how long the data waited at the shaper, mean and maximum
    drops       packets dropped at a full queue
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from testbed.network.build.nodes import EmulatedHost, ShapedIntf
from testbed.network.check.traffic import Route, Stream, Traffic
from testbed.network.counters import LinkCounters, QueueCount
from testbed.network.links.shape import (
    DATAGRAM_PAYLOAD_BYTES,
    FRAME_BYTES,
    SEGMENT_PAYLOAD_BYTES,
    Shape,
)
from testbed.network.network import Network

WINDOW_SECONDS: Final = 0.1
FIRST_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.01
_LOOK_SHARE: Final = 0.1
_DRAIN_SECONDS: Final = 30
_OVERLOAD: Final = 1.2
_COLUMNS: Final = {"steady_ratio": "payload_ratio"}
"""Columns that are not named as their field: existing files and scripts know them by these names."""

Samples = list[QueueCount]


@dataclass(frozen=True)
class DirectionReport:
    """One direction of one link: configured against measured. Ratios are measured over configured."""

    link: str
    direction: str
    streams: int
    asked_bps: int
    payload_bps: float
    wire_ratio: float
    steady_ratio: float
    first_second_ratio: float
    low_ratio: float
    high_ratio: float
    peak_ratio: float
    queue_mean_ms: float
    queue_max_ms: float
    together: int = 1
    drops: int = 0

    def within(self, tolerance: float) -> bool:
        """Return whether the steady rate is as configured, within a relative tolerance."""
        return abs(self.steady_ratio - 1) <= tolerance

    def row(self) -> dict[str, object]:
        """The report as one row of a table, whose readers know the steady ratio as `payload_ratio`."""
        return {_COLUMNS.get(name, name): value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Load:
    """Streams that saturate the direction that leaves by `end`."""

    end: ShapedIntf
    routes: Sequence[Route]

    @property
    def rate(self) -> int:
        """The configured rate."""
        if self.end.shape.rate is None:
            raise ValueError(f"{self.end.name} has no configured rate")
        return self.end.shape.rate

    @property
    def expected_payload(self) -> float:
        """The payload in bit/s of full frames at the rate."""
        datagrams = any(route.datagrams_bps for route in self.routes)
        return self.rate * (DATAGRAM_PAYLOAD_BYTES if datagrams else SEGMENT_PAYLOAD_BYTES) / FRAME_BYTES


def own_load(network: Network, end: ShapedIntf, streams: int = 1) -> Load:
    """Return a load of this link alone: TCP streams, or datagrams if the link delays or loses packets."""
    receiver = end.peer.home
    address = receiver.address if isinstance(receiver, EmulatedHost) else network.address_of(receiver)
    if end.shape.impairment or end.peer.shape.impairment:
        return Load(end, [Route(end.home, receiver, address, datagrams_bps=_overload(end.shape))])
    return Load(end, [Route(end.home, receiver, address)] * streams)


def _overload(shape: Shape) -> int:
    """Return more than the link carries after its losses; a link that loses everything cannot be overloaded."""
    return round((shape.rate or 0) * _OVERLOAD / max(0.01, 1 - shape.impairment.loss))


def measure(loads: Sequence[Load], seconds: float) -> list[DirectionReport]:
    """Run these loads at once, for the first second and `seconds` more."""
    history: dict[ShapedIntf, Samples] = {load.end: [] for load in loads}
    with LinkCounters(history) as counters, Traffic([load.routes for load in loads]) as traffic:
        look = _recorder(counters, history)
        before = counters.read()
        traffic.run(FIRST_SECONDS + seconds + _tail_seconds(loads), _looking_interval(counters), look)
        after = counters.read()
        traffic.stop()
        _wait_until_drained(counters)
    return [
        replace(
            _report(load, streams, history[load.end], traffic.started, seconds),
            together=len(loads),
            drops=after[load.end].data.dropped_packets - before[load.end].data.dropped_packets,
        )
        for load, streams in zip(loads, traffic.groups, strict=True)
    ]


def _tail_seconds(loads: Sequence[Load]) -> float:
    """Return how much longer to run, so that every stream has one more arrival and its count can be interpolated."""
    return max((len(load.routes) + 2) * FRAME_BYTES * 8 / load.rate for load in loads)


def _recorder(counters: LinkCounters, history: Mapping[ShapedIntf, Samples]) -> Callable[[], None]:
    def look() -> None:
        for end, count in counters.read().items():
            history[end].append(count.data)

    return look


def _looking_interval(counters: LinkCounters) -> float:
    """Return an interval between samples that spends at most a tenth of the time on them."""
    before = time.monotonic()
    counters.read()
    return max(_LOOK_SECONDS, (time.monotonic() - before) / _LOOK_SHARE)


def _wait_until_drained(counters: LinkCounters) -> None:
    deadline = time.monotonic() + _DRAIN_SECONDS
    while any(count.data.waiting_bytes for count in counters.read().values()) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)


def _report(load: Load, streams: Sequence[Stream], samples: Samples, started: float, seconds: float) -> DirectionReport:
    end, rate = load.end, load.rate
    steady_from = started + FIRST_SECONDS
    steady = [sample for sample in samples if sample.time >= steady_from]
    delays = [sample.waiting_bytes * 8000 / rate for sample in steady]
    payload = _delivered(streams, steady_from, steady_from + seconds)
    windows = window_rates(steady, WINDOW_SECONDS)
    return DirectionReport(
        link=f"{end.name} - {end.peer.name}",
        direction=_direction(end),
        streams=len(streams),
        asked_bps=rate,
        payload_bps=payload,
        wire_ratio=_sent(steady) / rate,
        steady_ratio=payload / load.expected_payload,
        first_second_ratio=_delivered(streams, started, steady_from) / load.expected_payload,
        low_ratio=min(windows, default=0.0) / rate,
        high_ratio=max(windows, default=0.0) / rate,
        peak_ratio=max(window_rates(samples, WINDOW_SECONDS), default=0.0) / rate,
        queue_mean_ms=sum(delays) / len(delays) if delays else 0.0,
        queue_max_ms=max(delays, default=0.0),
    )


def _direction(end: ShapedIntf) -> str:
    if isinstance(end.home, EmulatedHost):
        return "up"
    return "down" if isinstance(end.peer.home, EmulatedHost) else "trunk"


def _delivered(streams: Sequence[Stream], begin: float, end: float) -> float:
    """Return the payload that arrived between two times, in bit/s."""
    return sum(stream.received_by(end) - stream.received_by(begin) for stream in streams) * 8 / (end - begin)


def _sent(samples: Samples) -> float:
    """Return the rate at which bytes left the shaper between the first and the last sample, in bit/s."""
    if len(samples) < 2:
        return 0.0
    first, last = samples[0], samples[-1]
    return (last.sent_bytes - first.sent_bytes) * 8 / (last.time - first.time)


def window_rates(samples: Samples, seconds: float) -> list[float]:
    """Return the rate in bit/s over each window of at least `seconds` that begins at a sample."""
    rates, last = [], 0
    for first, sample in enumerate(samples):
        last = max(last, first)
        while last < len(samples) and samples[last].time - sample.time < seconds:
            last += 1
        if last == len(samples):
            break
        elapsed = samples[last].time - sample.time
        rates.append((samples[last].sent_bytes - sample.sent_bytes) * 8 / elapsed)
    return rates
