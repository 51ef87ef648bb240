"""Which connection of a trace is which of a capture.

A trace names the other end of a connection, and not the port from which its host dialled. So a connection that the
other end dialled is known by its address, and one that the host dialled by address and time. Several identities of a
host can dial one address at the same time: then it is the connection on which more events are the same.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import inf
from typing import Final

from testbed.audit.seen import SeenConnection, SeenDirection
from testbed.audit.sequences import aligned, telling, tracks_at
from testbed.audit.traced import TracedConnection
from testbed.wiretap.messages import Endpoint

_POSSIBLE: Final = 0.001
"""Seconds by which an event is rarely on the wrong side of its packet, if it is the same connection."""


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
    rivals: dict[tuple[Endpoint, bool], list[TracedConnection]] = {}
    for connection in traced:
        rivals.setdefault((connection.endpoint, connection.is_outgoing), []).append(connection)
    for group in rivals.values():
        same = [each for each in left if _has_same_ends(group[0], each, addresses)]
        pairs = _matched(group, same, slack, level)
        found.pairs += pairs
        matched = {id(pair.traced) for pair in pairs}
        found.only_traced += [each for each in group if id(each) not in matched]
        taken = {pair.seen.number for pair in pairs}
        left = [each for each in left if each.number not in taken]
    found.pairs.sort(key=lambda pair: pair.traced.t)
    found.only_seen = left
    return found


def _matched(group: Sequence[TracedConnection], same: Sequence[SeenConnection], slack: float, level: str) -> list[Pair]:
    """Match connections between the same ends, those first of which most events are the same."""
    if len(group) == len(same) == 1:  # without a rival, a time that does not fit is for others to judge
        return [_pair(group[0], same[0])]
    possible = [_pair(one, other) for one in group for other in same if _was_open(one, other, slack)]
    scores = {(pair.traced.neighbour, pair.traced.line, pair.seen.number): _likeness(pair, level) for pair in possible}
    pairs: list[Pair] = []
    used: set[int] = set()
    for pair in sorted(possible, key=lambda pair: _score(scores, pair), reverse=True):
        if id(pair.traced) not in used and id(pair.seen) not in used:
            used |= {id(pair.traced), id(pair.seen)}
            pairs.append(pair)
    while _exchange(pairs, scores):
        pass
    return pairs


def _score(scores: Mapping[tuple[int, int, int], float], pair: Pair) -> float:
    return scores.get((pair.traced.neighbour, pair.traced.line, pair.seen.number), -inf)


def _exchange(pairs: list[Pair], scores: Mapping[tuple[int, int, int], float]) -> bool:
    """Let two connections of the trace exchange theirs, if both together are more alike then."""
    for i, k in combinations(range(len(pairs)), 2):
        one, other = _pair(pairs[i].traced, pairs[k].seen), _pair(pairs[k].traced, pairs[i].seen)
        now = _score(scores, pairs[i]) + _score(scores, pairs[k])
        if _score(scores, one) + _score(scores, other) > now:
            pairs[i], pairs[k] = one, other
            return True
    return False


def _has_same_ends(traced: TracedConnection, seen: SeenConnection, addresses: Collection[str]) -> bool:
    ours, theirs = (seen.opener, seen.acceptor) if traced.is_outgoing else (seen.acceptor, seen.opener)
    return theirs == traced.endpoint and ours.address in addresses


def _was_open(traced: TracedConnection, seen: SeenConnection, slack: float) -> bool:
    """Return whether the connection was open when the trace says that it was made."""
    return seen.began <= traced.t + slack and seen.ended >= traced.t - slack


def _pair(traced: TracedConnection, seen: SeenConnection) -> Pair:
    sent, received = (seen.forward, seen.back) if traced.is_outgoing else (seen.back, seen.forward)
    return Pair(traced, seen, sent, received)


def _likeness(pair: Pair, level: str) -> float:
    """Return how much speaks for a pair: events that are the same, less those that only one of them has."""
    is_known = pair.traced.peer_id is not None and pair.received.peer_id is not None
    score = 0.0 if not is_known or pair.traced.peer_id == pair.received.peer_id else -1e9
    score -= min(1.0, abs(pair.traced.t - pair.seen.began))
    score -= 0.0 if pair.traced.ended is None else min(1.0, abs(pair.traced.ended - pair.seen.ended))
    for direction, by_us in ((pair.received, False), (pair.sent, True)):
        facts = pair.traced.facts(by_us=by_us)
        for kinds in tracks_at(level):
            both = aligned([fact for fact in facts if fact.kind in kinds], telling(direction.sights, kinds))
            score += len(both.pairs) - len(both.only_traced) - len(both.only_seen)
            waits = [fact.t - sight.t if not by_us else sight.t - fact.t for fact, sight in both.pairs]
            score -= sum(2.0 if wait < -_POSSIBLE else min(0.5, abs(wait)) for wait in waits)
    return score
