"""Which connection of a trace is which of a capture.

A trace names the other end of a connection, and not the port from which its host dialled. So a connection that the
other end dialled is known by its address, and one that the host dialled by address and time. Several identities of a
host can dial one address at the same time: then it is the connection on which more events are the same.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from testbed.audit.seen import SeenConnection, SeenDirection
from testbed.audit.sequences import aligned, telling, tracks_at
from testbed.audit.traced import TracedConnection


@dataclass(frozen=True, slots=True)
class Pair:
    """One connection, as the trace and as the capture have it."""

    traced: TracedConnection
    seen: SeenConnection
    sent: SeenDirection
    """What the host sent."""
    received: SeenDirection


@dataclass(slots=True)
class Pairing:
    """All connections of a host."""

    pairs: list[Pair] = field(default_factory=list)
    only_traced: list[TracedConnection] = field(default_factory=list)
    only_seen: list[SeenConnection] = field(default_factory=list)


def paired(
    traced: Iterable[TracedConnection],
    seen: Iterable[SeenConnection],
    addresses: Collection[str],
    slack: float,
    level: str,
) -> Pairing:
    """Pair the connections of a host that has these addresses; times agree but for `slack` seconds."""
    found, left = Pairing(), list(seen)
    for connection in sorted(traced, key=lambda each: each.t):
        same = [each for each in left if _has_same_ends(connection, each, addresses)]
        # Of one that has no rival, a time that does not fit is for others to judge.
        possible = [each for each in same if _was_open(connection, each, slack)] or (same if len(same) == 1 else [])
        if not possible:
            found.only_traced.append(connection)
            continue
        chosen = _best(connection, possible, level)
        left.remove(chosen)
        found.pairs.append(_pair(connection, chosen))
    found.only_seen = left
    return found


def _has_same_ends(traced: TracedConnection, seen: SeenConnection, addresses: Collection[str]) -> bool:
    ours, theirs = (seen.opener, seen.acceptor) if traced.is_outgoing else (seen.acceptor, seen.opener)
    return theirs == traced.endpoint and ours.address in addresses


def _was_open(traced: TracedConnection, seen: SeenConnection, slack: float) -> bool:
    """Return whether the connection was open when the trace says that it was made."""
    return seen.began <= traced.t + slack and seen.ended >= traced.t - slack


def _best(traced: TracedConnection, possible: Sequence[SeenConnection], level: str) -> SeenConnection:
    if len(possible) == 1:
        return possible[0]
    return max(possible, key=lambda each: (_likeness(_pair(traced, each), level), each.began))


def _pair(traced: TracedConnection, seen: SeenConnection) -> Pair:
    sent, received = (seen.forward, seen.back) if traced.is_outgoing else (seen.back, seen.forward)
    return Pair(traced, seen, sent, received)


def _likeness(pair: Pair, level: str) -> float:
    """Return how much speaks for a pair: events that are the same, less those that only one of them has."""
    is_known = pair.traced.peer_id is not None and pair.received.peer_id is not None
    score = 0.0 if not is_known or pair.traced.peer_id == pair.received.peer_id else -1e9
    score -= abs(pair.traced.t - pair.seen.began)
    for facts, direction in ((pair.traced.received, pair.received), (pair.traced.sent, pair.sent)):
        for kinds in tracks_at(level):
            both = aligned([fact for fact in facts if fact.kind in kinds], telling(direction.sights, kinds))
            score += len(both.pairs) - len(both.only_traced) - len(both.only_seen)
            score -= sum(min(1.0, abs(fact.t - sight.t)) for fact, sight in both.pairs)
    return score
