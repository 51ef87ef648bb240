"""What reads the bytes of one direction of a connection, and what it needs for that."""

from dataclasses import dataclass, field
from typing import Protocol

from testbed.wiretap.messages import Endpoint, Losses, Message


@dataclass(slots=True)
class Moment:
    """Which packet is being read. There is one of these, which moves on."""

    time: int = 0
    """When it was captured, in nanoseconds since 1970."""
    packet: int = 0


@dataclass(slots=True)
class Allowance:
    """Bytes of memory, about, for what all connections together keep for later; a hostile capture wants them all."""

    left: int = 64 << 20

    def take(self, size: int) -> bool:
        """Take so many bytes, if there are."""
        if size > self.left:
            return False
        self.left -= size
        return True

    def give_back(self, size: int) -> None:
        """Return what was taken."""
        self.left += size


@dataclass(slots=True)
class Findings:
    """What all readers of a capture share: where they put what they find."""

    now: Moment = field(default_factory=Moment)
    allowance: Allowance = field(default_factory=Allowance)
    losses: Losses = field(default_factory=Losses)
    messages: list[Message] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Way:
    """One direction of a connection: from whom to whom."""

    connection: int
    source: Endpoint
    destination: Endpoint


class Reader(Protocol):
    """Reads the bytes of one direction in their order."""

    def feed(self, data: bytes, start: int, end: int, length: int) -> None:
        """Read the next `length` bytes of the stream, of which the first ones are `data[start:end]`.

        The others were cut off by the capture, or missed by it.
        """

    def finish(self) -> None:
        """There are no more bytes."""
