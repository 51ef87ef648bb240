"""The shape of one direction of a link: rate, queue, delay, loss; pure values, checked when created.

**What a rate means.** Bits per second of Ethernet frames as tcpdump shows them: payload, TCP, IP and the 14 bytes of
Ethernet header, without preamble, frame check sequence and gap, which emulated links lack. A full segment carries 1448
bytes of payload in 1514, so a link of rate r gives one TCP stream r x 1448/1514 of payload. The kernel stores rates in
bytes per second, so a rate is a multiple of 8 bit/s.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from testbed.errors import ExplainedError
from testbed.values.units import format_rate

FRAME_BYTES: Final = 1514
SEGMENT_PAYLOAD_BYTES: Final = 1448
DATAGRAM_PAYLOAD_BYTES: Final = 1472
MIN_RATE: Final = 56_000
MAX_RATE: Final = 1_000_000_000

# A super-packet may occupy the link for this long: too short a burst to measure.
_SUPER_PACKET_SECONDS: Final = 0.0005
_BURST_SECONDS: Final = 0.001
_LONGEST_US: Final = 60_000_000

_POSSIBLE_RATES: Final = f"write {format_rate(MIN_RATE)} to {format_rate(MAX_RATE)}"

Acks = Literal["priority", "shared"]
Side = Literal["host", "core"]

_KNOWN_KEYS: Final = ("bw", "delay", "jitter", "loss", "max_queue_size", "queue_ms", "acks")
_TIME_UNITS: Final = {"us": 1, "ms": 1_000, "s": 1_000_000}


class ShapeError(ExplainedError, ValueError):
    """No link here can have this shape; the message says what is possible."""


@dataclass(frozen=True)
class QueueDefault:
    """The queue of a link that names none: what its rate sends in `milliseconds`, and at least `least_bytes`."""

    milliseconds: float
    least_bytes: int


# At a host's egress TCP limits itself (it counts what its qdisc holds), but several flows starve one another in smaller
# queues. At the core's egress the queue is the queueing delay of a peer's downloads.
QUEUE_DEFAULTS: Final[Mapping[Side, QueueDefault]] = {
    "host": QueueDefault(milliseconds=100, least_bytes=200_000),
    "core": QueueDefault(milliseconds=50, least_bytes=60_000),
}


@dataclass(frozen=True, slots=True)
class Impairment:
    """One direction of a link: packets are delayed by `delay_us` +- `jitter_us`, or lost with probability `loss`."""

    delay_us: int = 0
    jitter_us: int = 0
    loss: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("delay_us", self.delay_us), ("jitter_us", self.jitter_us)):
            if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LONGEST_US:
                message = f"{name} is {value!r}; it must be a whole number of microseconds from 0 to {_LONGEST_US}"
                raise ShapeError(message)
        if not 0 <= self.loss <= 1:
            raise ShapeError(f"loss is {self.loss!r}; it must be a probability from 0 to 1")

    def __bool__(self) -> bool:
        return bool(self.delay_us or self.jitter_us or self.loss)

    @property
    def is_random(self) -> bool:
        """Whether two packets can be treated differently."""
        return self.jitter_us > 0 or self.loss > 0


@dataclass(frozen=True)
class Shape:
    """One direction of one link. Without a `rate` there is no limit, and `queue_bytes` has no meaning."""

    rate: int | None = None
    queue_bytes: int = 0
    acks: Acks = "priority"
    impairment: Impairment = Impairment()

    def __post_init__(self) -> None:
        if self.rate is not None:
            check_rate(self.rate)
        if self.acks not in get_args(Acks):
            raise ShapeError(f"acks {self.acks!r}: write {' or '.join(map(repr, get_args(Acks)))}")

    @property
    def burst_bytes(self) -> int:
        """How much may leave back to back after a pause: two frames, or enough to make up for a late timer."""
        return max(2 * FRAME_BYTES, int(_rate_of(self) / 8 * _BURST_SECONDS))

    @property
    def gso_segments(self) -> int | None:
        """How many segments a super-packet may hold; None leaves it to the kernel."""
        if self.impairment.is_random:
            return 1  # each packet of the wire needs a draw of its own, and netem draws once a super-packet
        if self.rate is None:
            return None
        return max(1, int(self.rate * _SUPER_PACKET_SECONDS / (8 * FRAME_BYTES)))

    @classmethod
    def from_mininet(cls, parameters: Mapping[str, object], side: Side) -> "Shape":
        """Read Mininet's parameters of a link's end (`bw`, `delay`, ...), and refuse unknown ones."""
        for key in parameters:
            if key not in _KNOWN_KEYS:
                raise ShapeError(f"unknown link parameter {key!r}: write one of {', '.join(_KNOWN_KEYS)}")
        rate = None if parameters.get("bw") is None else _rate_from_bw(parameters["bw"])
        impairment = Impairment(
            delay_us=_microseconds("delay", parameters.get("delay")),
            jitter_us=_microseconds("jitter", parameters.get("jitter")),
            loss=_number("loss", parameters.get("loss") or 0) / 100,
        )
        acks: Acks = parameters.get("acks") or "priority"  # type: ignore[assignment]
        return cls(rate, _queue_bytes(rate, parameters, side), acks, impairment)


def check_rate(rate: int) -> None:
    """Raise ShapeError unless the kernel can shape exactly to this rate."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise ShapeError(f"rate {format_rate(rate) if rate > 0 else rate}: {_POSSIBLE_RATES}")
    if rate % 8:
        low = rate - rate % 8
        raise ShapeError(f"rate {rate} bit/s is not a multiple of 8 bit/s: the nearest are {low} and {low + 8}")


def _rate_of(shape: Shape) -> int:
    if shape.rate is None:
        raise ShapeError("an unshaped direction has no burst")
    return shape.rate


def _number(what: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 - nan
        raise ShapeError(f"{what} {value!r}: write a number")
    return value


def _rate_from_bw(bw: object) -> int:
    megabits = _number("bw", bw)
    if not math.isfinite(megabits):
        raise ShapeError(f"bw {bw!r} Mbit/s: {_POSSIBLE_RATES}")
    rate = round(megabits * 1_000_000)
    check_rate(rate)
    return rate


def _microseconds(what: str, value: object) -> int:
    """Read a time as `tc` writes it, like '20ms'; a bare number, which Mininet takes as microseconds, is refused."""
    if value is None:
        return 0
    text = str(value)
    for unit, factor in _TIME_UNITS.items():
        number = text.removesuffix(unit)
        if number != text and number[-1:].isdigit():
            try:
                return round(float(number) * factor)
            except (ValueError, OverflowError):
                break
    raise ShapeError(f"{what} {value!r}: write a number with its unit, like '20ms' (us, ms, s)")


def _queue_bytes(rate: int | None, parameters: Mapping[str, object], side: Side) -> int:
    """Return the limit of the queue: at least two frames, or the link could not even hold what it is sending."""
    asked_ms, asked_packets = parameters.get("queue_ms"), parameters.get("max_queue_size")
    default = QUEUE_DEFAULTS[side]
    bytes_per_ms = (rate or MIN_RATE) / 8000
    if asked_packets is not None:
        wanted = _number("max_queue_size", asked_packets) * FRAME_BYTES
    elif asked_ms is not None:
        wanted = _number("queue_ms", asked_ms) * bytes_per_ms
    else:
        wanted = max(default.least_bytes, default.milliseconds * bytes_per_ms)
    if not 0 < wanted <= 1 << 30:
        raise ShapeError(f"queue of {wanted:.0f} bytes: it must be more than 0 bytes and at most 1 GiB")
    return 0 if rate is None else max(2 * FRAME_BYTES, round(wanted))
