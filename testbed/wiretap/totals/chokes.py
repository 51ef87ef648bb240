"""Who unchokes whom, and for how long."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from testbed.wiretap.messages import Endpoint, Message

CHOKE: Final = "choke"
UNCHOKE: Final = "unchoke"
HANDSHAKE: Final = "handshake"


class Period(NamedTuple):
    """A time in which requests were answered, in nanoseconds since 1970; `stop` is None if it had not ended."""

    start: int
    stop: int | None


@dataclass
class Chokes:
    """The periods of all pairs of hosts: a connection begins choked, and its end ends what lasts."""

    periods: dict[tuple[str, str], list[Period]] = field(default_factory=dict)
    """By who unchoked, and whom."""
    _since: dict[tuple[Endpoint, Endpoint], tuple[str, str, int]] = field(default_factory=dict)
    """Of each direction of a connection that is unchoked: both hosts, and since when."""

    def add(self, source: str, destination: str, message: Message) -> None:
        """Add a message between two hosts."""
        key = (message.source, message.destination)
        if message.kind == UNCHOKE:
            self._since.setdefault(key, (source, destination, message.time))
        elif message.kind in {CHOKE, HANDSHAKE}:  # another connection can have the ports of one that has ended
            self._end(key, message.time)

    def connection_ended(self, opener: Endpoint, acceptor: Endpoint, time: int) -> None:
        """End what lasts on a connection."""
        for key in ((opener, acceptor), (acceptor, opener)):
            self._end(key, time)

    def _end(self, key: tuple[Endpoint, Endpoint], time: int) -> None:
        if key in self._since:
            source, destination, since = self._since.pop(key)
            self.periods.setdefault((source, destination), []).append(Period(since, max(since, time)))

    def all_periods(self) -> Iterator[tuple[str, str, list[Period]]]:
        """Yield each pair with its periods in order, those that last at the end too."""
        found = {pair: list(periods) for pair, periods in self.periods.items()}
        for source, destination, since in self._since.values():
            found.setdefault((source, destination), []).append(Period(since, None))
        for (source, destination), periods in sorted(found.items()):
            yield source, destination, sorted(periods, key=lambda each: each.start)


def seconds(periods: list[Period], end: int) -> float:
    """Return how long some periods last together; one that has not ended lasts until `end`."""
    return sum((end if each.stop is None else each.stop) - each.start for each in periods) / 1e9
