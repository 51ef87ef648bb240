"""Who gives way when a client has as many neighbours as it may have, and another one comes.

Places go to who comes first, and all who take part keep theirs. The first of these gives way:

    1. a stranger: it has not shaken hands within STRANGER_PATIENCE, or it is one of a crowd
    2. one of a crowd: its host has more than `most_per_host` connections, and more than the newcomer's host
    3. an idle neighbour: neither side wants anything of the other, and it has said nothing for IDLE_PATIENCE

and of a seed's neighbours also

    4. one that takes nothing: it was never sent a block, though it was last unchoked IDLE_PATIENCE ago or earlier
    5. one that was served and has been here for SEED_TURN, if the newcomer's host has not been served yet

If none of these is there, the newcomer is refused.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from peer.bittorrent.engine.connections.neighbour import Neighbour

STRANGER_PATIENCE: Final = 3.0
IDLE_PATIENCE: Final = 30.0
SEED_TURN: Final = 300.0
MOST_SERVED: Final = 1_000
"""Hosts of former neighbours that are remembered."""


class Room:
    """The places of one identity's neighbours."""

    def __init__(self, most_per_host: int) -> None:
        self.most_per_host = most_per_host
        self.is_seed = False
        self._served: dict[str, None] = {}
        """The hosts of former neighbours that we sent blocks to, the latest last."""

    def neighbour_left(self, neighbour: Neighbour) -> None:
        if neighbour.up.rate.total:
            self._served.pop(neighbour.address.host, None)
            self._served[neighbour.address.host] = None
            if len(self._served) > MOST_SERVED:
                del self._served[next(iter(self._served))]

    def who_gives_way(self, present: Sequence[Neighbour], newcomer: str, now: float) -> Neighbour | None:
        """Return the neighbour to close for one from the host `newcomer`; None if that one is to be refused."""
        per_host = Counter(each.address.host for each in present)
        for gives_way in self._rules(per_host, newcomer, now):
            found = [each for each in present if gives_way(each)]
            if found:
                # The largest crowd first; in it those without a wish, then those that came first.
                return max(found, key=lambda each: (per_host[each.address.host], _wants_nothing(each), -_came_at(each)))
        return None

    def count_settled(self, present: Iterable[Neighbour], now: float) -> int:
        """Count neighbours as far as they make others unnecessary: a crowd does not keep us from dialling."""
        per_host = Counter(each.address.host for each in present if not _is_overdue(each, now))
        return sum(min(count, self.most_per_host) for count in per_host.values())

    def _rules(self, per_host: Mapping[str, int], newcomer: str, now: float) -> Iterator[Callable[[Neighbour], bool]]:
        crowds = {host for host, count in per_host.items() if count > self.most_per_host}
        larger = {host for host in crowds if per_host[host] > per_host.get(newcomer, 0)}
        yield lambda each: _is_overdue(each, now) or (_is_stranger(each) and each.address.host in crowds)
        yield lambda each: each.address.host in larger
        yield lambda each: _wants_nothing(each) and now - each.conversation.last_received >= IDLE_PATIENCE
        if self.is_seed:
            yield lambda each: _takes_nothing(each, now)
            if newcomer not in self._served:
                yield lambda each: each.up.rate.total > 0 and now - _came_at(each) >= SEED_TURN


def _came_at(neighbour: Neighbour) -> float:
    return neighbour.conversation.connected_at


def _is_stranger(neighbour: Neighbour) -> bool:
    return not neighbour.is_handshaken and not neighbour.is_outgoing


def _is_overdue(neighbour: Neighbour, now: float) -> bool:
    return _is_stranger(neighbour) and now - _came_at(neighbour) >= STRANGER_PATIENCE


def _wants_nothing(neighbour: Neighbour) -> bool:
    """Whether neither side wants anything of the other."""
    return not neighbour.up.is_interested and not neighbour.down.interests_us


def _takes_nothing(neighbour: Neighbour, now: float) -> bool:
    up = neighbour.up
    return not up.rate.total and not up.queue and up.unchoked_at > 0 and now - up.unchoked_at >= IDLE_PATIENCE
