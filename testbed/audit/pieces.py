"""Pieces: whether the blocks of each had come when the trace says that it was complete, and who was told of which."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from contract.wording import counted
from testbed.audit.comparing import CUT, KILLED, LACKING, LOST_SECONDS, HostAudit
from testbed.audit.findings import Disagreement
from testbed.audit.pairing import Pair
from testbed.audit.seen import Sight
from testbed.audit.times import CLOCK_SECONDS, EVENT_SECONDS
from testbed.audit.traced import Life, PieceFact
from testbed.wiretap.totals.pieces import Blocks

CLAIMING: Final = frozenset({"false-pieces", "polluter"})
"""The strategies that claim pieces which they lack."""
CLAIMED: Final = "its strategy announces what it has not"
HAD: Final = "the piece was there before, or its blocks were not needed"
UNVERIFIED: Final = "its last block came as the program ended"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A block that came in."""

    t: float
    index: int
    begin: int
    length: int
    neighbour: int
    packet: int
    was_delivered: bool
    """Whether the host has acknowledged it; one that came last may have been read all the same."""


def compare_pieces(audit: HostAudit, pairs: Sequence[Pair]) -> None:
    """Compare the pieces of each life, what was announced of them, and when all were there."""
    held: dict[int, float] = {}
    for number, life in enumerate(audit.host.lives):
        if not life.piece_count:
            continue
        own = [pair for pair in pairs if life.connections.get(pair.traced.neighbour) is pair.traced]
        arrivals = _arrivals(own)
        following = audit.host.lives[number + 1 :]
        end = life.left if life.left is not None else following[0].t if following else audit.host.last
        is_cut = audit.witness.is_cut and any(pair.received.gaps for pair in own)
        lacks = LACKING if audit.witness.is_lacking else CUT if is_cut else ""
        if audit.witness.level != "summary":
            _compare_life(audit, life, arrivals, end, lacks)
            held = _held(life, held)
            _compare_haves(audit, life, held, own)
        _compare_completion(audit, life, arrivals, lacks)


def _arrivals(pairs: Iterable[Pair]) -> dict[int, list[Arrival]]:
    """Return the blocks that came in, by piece, each in the order of their packets."""
    found: dict[int, list[Arrival]] = {}
    for pair in pairs:
        for sight in pair.received.of("piece"):
            arrival = _arrival(sight, pair)
            found.setdefault(arrival.index, []).append(arrival)
    for arrivals in found.values():
        arrivals.sort(key=lambda each: each.t)
    return found


def _arrival(sight: Sight, pair: Pair) -> Arrival:
    index, begin, length = sight.detail
    was_delivered = sight.end <= pair.received.acknowledged
    return Arrival(sight.t, index, begin, length, pair.traced.neighbour, sight.packet, was_delivered)


def _size(life: Life, index: int) -> int:
    return min(life.piece_length, life.length - index * life.piece_length)


def _compare_life(
    audit: HostAudit, life: Life, arrivals: Mapping[int, Sequence[Arrival]], end: float, lacks: str
) -> None:
    """Follow each piece through its verifications: each needs all blocks anew, as a wrong one spoils the others.

    `lacks` says why blocks may be missing in the capture, if they may.
    """
    facts: dict[int, list[PieceFact]] = {}
    for fact in sorted(life.pieces, key=lambda each: each.t):
        facts.setdefault(fact.piece, []).append(fact)
    count = audit.into.count("piece")
    count.traced += len(life.pieces)
    for index in sorted(facts.keys() | arrivals.keys()):
        rest = list(arrivals.get(index, ()))
        for fact in facts.get(index, ()):
            rest = _compare_fact(audit, fact, rest, _size(life, index), lacks)
        last = facts[index][-1] if index in facts else None
        if last is None or last.kind == "failed":
            _compare_rest(audit, life, index, rest, end)


def _compare_fact(audit: HostAudit, fact: PieceFact, arrivals: list[Arrival], size: int, lacks: str) -> list[Arrival]:
    """Compare one verification with the blocks that came for it; returns those that came later."""
    full = _filled(arrivals, size, until=fact.t + EVENT_SECONDS)
    if full is not None:
        # The program may have read a duplicate first that came a little later.
        senders = {each.neighbour for each in arrivals if each.t <= fact.t + EVENT_SECONDS}
        strangers = sorted(set(fact.senders) - senders)
        audit.into.count("piece").seen += 1
        audit.into.verified.append(fact.t - arrivals[full].t)
        if strangers:
            what = f"piece {fact.piece} {fact.kind}: connection {strangers[0]} had sent none of its blocks"
            audit.into.disagree(Disagreement(audit.host.name, "piece", what, fact.t, fact.line, arrivals[full].packet))
        else:
            audit.into.count("piece").agree += 1
        return arrivals[full + 1 :]
    if lacks:
        audit.into.explain("piece", lacks)
    else:
        there = Blocks(size)
        for each in arrivals:
            if each.t <= fact.t:
                there.add(each.begin, each.length)
        what = f"piece {fact.piece} {fact.kind}: {there.count} of its {size} bytes had come"
        audit.into.disagree(Disagreement(audit.host.name, "piece", what, fact.t, fact.line))
    return [each for each in arrivals if each.t > fact.t]


def _filled(arrivals: Sequence[Arrival], size: int, until: float) -> int | None:
    """Return which block made the piece whole, if one did in time."""
    blocks = Blocks(size)
    for number, each in enumerate(arrivals):
        if each.t > until:
            return None
        blocks.add(each.begin, each.length)
        if blocks.is_full:
            return number
    return None


def _compare_rest(audit: HostAudit, life: Life, index: int, arrivals: Sequence[Arrival], end: float) -> None:
    """Say why a piece of which all blocks had come was not verified."""
    arrivals = [each for each in arrivals if each.was_delivered]
    full = _filled(arrivals, _size(life, index), until=float("inf"))
    if full is None:
        return
    last = arrivals[full]
    audit.into.count("piece").seen += 1
    if life.have_count:
        audit.into.explain("piece", HAD)
    elif audit.witness.was_killed and last.t > end - LOST_SECONDS:
        audit.into.explain("piece", KILLED)
    elif last.t > end - audit.patience:
        audit.into.explain("piece", UNVERIFIED)
    else:
        what = f"piece {index}: all its bytes had come, and it is not in the trace"
        audit.into.disagree(Disagreement(audit.host.name, "piece", what, last.t, packet=last.packet))


def _held(life: Life, before: Mapping[int, float]) -> dict[int, float]:
    """Return when the host had each piece in this life."""
    if life.have_count == life.piece_count:
        held = dict.fromkeys(range(life.piece_count), life.t)
    elif life.have_count == len(before):
        held = dict.fromkeys(before, life.t)
    else:
        held = {}
    for fact in life.pieces:
        if fact.kind == "completed":
            held.setdefault(fact.piece, fact.t)
    return held


def _compare_haves(audit: HostAudit, life: Life, held: Mapping[int, float], pairs: Iterable[Pair]) -> None:
    """A host announces a piece after it has it, unless its strategy lies; which ones it had at first may be unknown."""
    knows_first = life.have_count in {0, life.piece_count} or len(held) >= life.have_count
    for pair in pairs:
        for sight, index in _announced(pair.sent.of("have")):
            audit.into.count("have").seen += 1
            if held.get(index, float("inf")) <= sight.t + EVENT_SECONDS:
                audit.into.count("have").agree += 1
            elif _may_claim(life.strategy):
                audit.into.explain("have", CLAIMED)
            elif not knows_first or audit.witness.was_killed:
                audit.into.explain("have", HAD if not knows_first else KILLED)
            else:
                what = f"have {index}, sent: the trace has not completed that piece"
                audit.into.disagree(Disagreement(audit.host.name, "have", what, sight.t, packet=sight.packet))
        _compare_have_all(audit, life, held, pair)


def _announced(sights: Iterable[Sight]) -> Iterator[tuple[Sight, int]]:
    for sight in sights:
        yield sight, sight.detail[0]


def _compare_have_all(audit: HostAudit, life: Life, held: Mapping[int, float], pair: Pair) -> None:
    for sight in pair.sent.of("have all"):
        audit.into.count("have").seen += 1
        at_once = sum(t <= sight.t + EVENT_SECONDS for t in held.values())
        if at_once == life.piece_count:
            audit.into.count("have").agree += 1
        elif _may_claim(life.strategy):
            audit.into.explain("have", CLAIMED)
        else:
            what = f"have all, sent: the trace has {at_once} of {counted(life.piece_count, 'piece')}"
            audit.into.disagree(Disagreement(audit.host.name, "have", what, sight.t, packet=sight.packet))


def _may_claim(strategy: str) -> bool:
    """Return whether a strategy announces what it likes; nobody knows what one from an own module does."""
    return strategy in CLAIMING or ":" in strategy


def _compare_completion(audit: HostAudit, life: Life, arrivals: Mapping[int, Sequence[Arrival]], lacks: str) -> None:
    """Compare the moment at which the host had all pieces, if it began with none."""
    if life.have_count or life.completed is None:
        return
    t, line = life.completed
    count = audit.into.count("completion")
    count.traced += 1
    whole = [
        _filled(arrivals.get(index, ()), _size(life, index), until=t + CLOCK_SECONDS)
        for index in range(life.piece_count)
    ]
    missing = [index for index, full in enumerate(whole) if full is None]
    if not missing:
        count.seen += 1
        count.agree += 1
    elif lacks:
        audit.into.explain("completion", lacks)
    else:
        what = f"complete, although {counted(len(missing), 'piece')} had not come, such as {missing[0]}"
        audit.into.disagree(Disagreement(audit.host.name, "completion", what, t, line))
