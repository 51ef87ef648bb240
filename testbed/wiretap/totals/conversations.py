"""Who talks to whom: messages by kind, blocks, and how fast they came, for each ordered pair of hosts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from testbed.wiretap.messages import ConnectionSummary, Direction, Message

BLOCK_HEAD: Final = 13
"""What a `piece` message has before its block."""


@dataclass(slots=True)
class Conversation:
    """What one host sent to another. Times are in nanoseconds since 1970."""

    messages: Counter[str] = field(default_factory=Counter)
    """By kind."""
    bytes: Counter[str] = field(default_factory=Counter)
    """By kind, with heads."""
    blocks: int = 0
    """Bytes of blocks."""
    first_block: int | None = None
    last_block: int | None = None
    payload: int = 0
    """Bytes of streams, each counted once."""
    packets: int = 0
    retransmitted: int = 0
    """Bytes of streams that were seen again."""
    out_of_order: int = 0
    rtts: list[int] = field(default_factory=list)
    """Samples of how long data took until it was acknowledged."""
    connections: int = 0

    @property
    def goodput(self) -> float | None:
        """Bytes of blocks per second, from the first block to the last one; None for fewer than two."""
        if self.first_block is None or self.last_block is None or self.last_block <= self.first_block:
            return None
        return self.blocks / ((self.last_block - self.first_block) / 1e9)


@dataclass
class Conversations:
    """All pairs of hosts that talk to each other."""

    pairs: dict[tuple[str, str], Conversation] = field(default_factory=dict)

    def add(self, source: str, destination: str, message: Message) -> None:
        """Add a message between two hosts."""
        pair = self._pair(source, destination)
        pair.messages[message.kind] += 1
        pair.bytes[message.kind] += message.length
        if message.kind == "piece":
            pair.blocks += message.length - BLOCK_HEAD
            pair.first_block = message.time if pair.first_block is None else pair.first_block
            pair.last_block = message.time

    def add_connection(self, opener: str, acceptor: str, connection: ConnectionSummary) -> None:
        """Add the counts of a connection: the samples of the time to an acknowledgement go to who opened it."""
        there, back = self._pair(opener, acceptor), self._pair(acceptor, opener)
        there.connections += 1
        there.rtts += connection.rtts
        for pair, direction in ((there, connection.forward), (back, connection.back)):
            _add_direction(pair, direction)

    def _pair(self, source: str, destination: str) -> Conversation:
        return self.pairs.setdefault((source, destination), Conversation())

    @property
    def kinds(self) -> Counter[str]:
        """All messages by kind."""
        return _sum(pair.messages for pair in self.pairs.values())

    @property
    def bytes_by_kind(self) -> Counter[str]:
        """The bytes of all messages by kind."""
        return _sum(pair.bytes for pair in self.pairs.values())


def _add_direction(pair: Conversation, direction: Direction) -> None:
    pair.payload += direction.payload
    pair.packets += direction.packets
    pair.retransmitted += direction.retransmitted
    pair.out_of_order += direction.out_of_order


def _sum(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in counters:
        total.update(each)
    return total


def middle(samples: Sequence[float]) -> float | None:
    """Return the middle one of some samples; None of none."""
    return sorted(samples)[len(samples) // 2] if samples else None
