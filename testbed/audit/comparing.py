"""The connections of one host: what the trace says of each, against what the capture shows of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from testbed.audit.findings import Disagreement, Findings
from testbed.audit.pairing import Pair
from testbed.audit.seen import PEER_WIRE, SeenConnection, SeenDirection, Sight
from testbed.audit.sequences import Aligned, aligned, telling, tracks_at
from testbed.audit.times import LATE_SECONDS, Match
from testbed.audit.traced import Fact, TracedConnection, TracedHost
from testbed.audit.witness import Witness

UNREAD_SECONDS: Final = 0.25
"""What came so shortly before a connection's end may never have been read; on a busy machine, what came within twice
the time that other messages waited at most."""
UNSENT_SECONDS: Final = 2.0
"""A connection that is being closed sends what is queued for so long, and then drops it."""
LOST_SECONDS: Final = 1.5
"""Lines are written once a second: those of the last second die with a program that is killed."""
FRAMING: Final = (0.02, 16 << 10)
"""What a stream that is no peer wire may have besides the file: a share of it, and bytes."""
_OURS: Final = frozenset({PEER_WIRE, "http", "unknown"})
"""What a program that distributes a file sends; trackers have a log of their own."""
_MOST_LISTED: Final = 5
"""The differences of one kind on one connection that are listed one by one."""

UNREAD: Final = "it came when its receiver was closing the connection, and was never read"
UNDELIVERED: Final = "it was never acknowledged: it came as the connection ended, or behind bytes that had been lost"
UNSENT: Final = "it was queued when the connection ended, and never left the host"
KILLED: Final = "the program was killed, and its last lines with it"
CUT: Final = "the capture keeps only the beginning of packets, and what is behind it cannot be read"
LACKING: Final = "the capture lacks packets, as its record says"
BEGUN: Final = "it had begun when its sender closed the connection, and was sent to its end"
REFUSED: Final = "the program refused the connection before it was a neighbour, and sent nothing on it"
OURSELVES: Final = "the host dialled itself, which passes no interface"


@dataclass
class HostAudit:
    """One host while it is compared."""

    host: TracedHost
    witness: Witness
    into: Findings
    patience: float = UNREAD_SECONDS
    """How long a message may have waited to be read when a connection ends."""
    received: list[Match] = field(default_factory=list)
    sent: list[Match] = field(default_factory=list)

    def end_of(self, connection: TracedConnection) -> float:
        """Return the time from which on the trace does not tell about a connection."""
        if connection.ended is not None:
            return connection.ended - self.patience
        return self.host.last - LOST_SECONDS if self.witness.was_killed else self.host.last - self.patience


def compare_connections(audit: HostAudit, pairs: Iterable[Pair]) -> None:
    """Compare the events of all connections that both have."""
    for pair in pairs:
        audit.into.count("connection").traced += 1
        audit.into.count("connection").seen += 1
        audit.into.count("connection").agree += 1
        if pair.seen.application == PEER_WIRE:
            _compare_messages(audit, pair)
        _compare_bytes(audit, pair)


def _compare_messages(audit: HostAudit, pair: Pair) -> None:
    for kinds in tracks_at(audit.witness.level):
        for direction, by_us in ((pair.sent, True), (pair.received, False)):
            _compare(audit, pair, kinds, telling(direction.sights, kinds), by_us=by_us)
    for direction, word in ((pair.sent, "to"), (pair.received, "from")):
        _check_holes(audit, pair, direction, word)


def _check_holes(audit: HostAudit, pair: Pair, direction: SeenDirection, word: str) -> None:
    """Bytes that their receiver has acknowledged have passed the interface: a capture without them lacks packets."""
    if not direction.missing:
        return
    if audit.witness.is_lacking:
        audit.into.explain("connection", LACKING)
    else:
        what = (
            f"{direction.missing} bytes {word} {_name(pair.traced)} are not in the capture, though nothing was missed"
        )
        audit.into.disagree(Disagreement(audit.host.name, "connection", what, direction.last, pair.traced.line))


def _compare(audit: HostAudit, pair: Pair, kinds: Sequence[str], sights: list[Sight], *, by_us: bool) -> None:
    """Compare the events of some kinds in one direction of a connection."""
    facts = [fact for fact in pair.traced.facts(by_us=by_us) if fact.kind in kinds]
    both = aligned(facts, sights)
    (audit.sent if by_us else audit.received).extend(both.pairs)
    _count(audit, facts, sights, both)
    last_pair = both.pairs[-1][0].line if both.pairs else 0
    reasons: list[tuple[Fact | Sight, str]] = [
        *(
            (fact, _why_unseen(audit, pair, fact, is_last=fact.line > last_pair, by_us=by_us))
            for fact in both.only_traced
        ),
        *((sight, _why_untraced(audit, pair, sight, by_us=by_us)) for sight in both.only_seen),
    ]
    for each, reason in reasons:
        if reason:
            audit.into.explain(_row(each.kind), reason)
    unexplained = [each for each, reason in reasons if not reason]
    for each in unexplained[:_MOST_LISTED]:
        audit.into.disagree(_disagreement(audit, pair, each, by_us=by_us))
    for each in unexplained[_MOST_LISTED:]:
        audit.into.count(_row(each.kind)).disagree += 1
        audit.into.more[f"{audit.host.name}: {_row(each.kind)} on connection {pair.traced.neighbour}"] += 1


def _count(audit: HostAudit, facts: Iterable[Fact], sights: Iterable[Sight], both: Aligned) -> None:
    for fact in facts:
        audit.into.count(_row(fact.kind)).traced += 1
    for sight in sights:
        audit.into.count(_row(sight.kind)).seen += 1
    for fact, _ in both.pairs:
        audit.into.count(_row(fact.kind)).agree += 1


def _row(kind: str) -> str:
    return "block" if kind == "piece" else kind


def _why_unseen(audit: HostAudit, pair: Pair, fact: Fact, *, is_last: bool, by_us: bool) -> str:
    """Return why the capture does not show what the trace says; empty if there is no reason."""
    if audit.witness.is_lacking:
        return LACKING
    if audit.witness.is_cut and _may_be_cut(fact, pair.sent if by_us else pair.received, by_us=by_us):
        return CUT
    was_queued = by_us and is_last and fact.t > pair.sent.last - UNSENT_SECONDS
    return UNSENT if was_queued and pair.traced.ended is not None else ""


def _may_be_cut(fact: Fact, direction: SeenDirection, *, by_us: bool) -> bool:
    """Return whether the message may be in bytes that could not be read."""
    early, late = (0.0, UNSENT_SECONDS) if by_us else (LATE_SECONDS, 0.0)
    return any(gap.after - late <= fact.t <= gap.before + early for gap in direction.gaps)


def _why_untraced(audit: HostAudit, pair: Pair, sight: Sight, *, by_us: bool) -> str:
    """Return why the trace does not say what the capture shows; empty if there is no reason."""
    if audit.witness.was_killed and pair.traced.ended is None and sight.t > audit.host.last - LOST_SECONDS:
        return KILLED
    if not by_us and sight.end > pair.received.acknowledged:
        return UNDELIVERED
    if not by_us and sight.t > audit.end_of(pair.traced):
        return UNREAD
    if by_us and _had_begun(pair, sight):
        return BEGUN
    return LACKING if audit.witness.is_lacking and not by_us else ""


def _had_begun(pair: Pair, sight: Sight) -> bool:
    """Return whether a block is the one that was being sent when the connection was closed."""
    blocks = pair.sent.of("piece")
    return [sight] == blocks[-1:] and pair.traced.ended is not None and sight.t > pair.traced.ended


def _disagreement(audit: HostAudit, pair: Pair, each: Fact | Sight, *, by_us: bool) -> Disagreement:
    what = f"{_in_words(each)} {'to' if by_us else 'from'} {_name(pair.traced)}"
    if isinstance(each, Fact):
        return Disagreement(audit.host.name, _row(each.kind), f"{what}: not on the wire", each.t, line=each.line)
    return Disagreement(audit.host.name, _row(each.kind), f"{what}: not in the trace", each.t, packet=each.packet)


def _in_words(each: Fact | Sight) -> str:
    if len(each.detail) == 3:
        index, begin, length = each.detail
        return f"{_row(each.kind)} {index}:{begin}+{length}"
    return each.kind


def _name(connection: TracedConnection) -> str:
    return f"{connection.endpoint.address}:{connection.endpoint.port} (connection {connection.neighbour})"


def _compare_bytes(audit: HostAudit, pair: Pair) -> None:
    """Compare the bytes of blocks, or those of the stream where it is no peer wire."""
    late_in, late_out = pair.traced.moved_late
    if pair.seen.application == PEER_WIRE and audit.witness.is_cut and (pair.sent.gaps or pair.received.gaps):
        audit.into.count("bytes").traced += 2
        audit.into.explain("bytes", CUT, 2)
    elif pair.seen.application == PEER_WIRE:
        unread = sum(map(_length, _unread(audit, pair)))
        _check_bytes(audit, pair, _blocks(pair.received), (0, unread), by_us=False)
        begun = sum(_length(sight) for sight in pair.sent.of("piece") if _had_begun(pair, sight))
        _check_bytes(audit, pair, _blocks(pair.sent), (-late_out, begun), by_us=True)
    else:
        for direction, by_us, late in ((pair.received, False, late_in), (pair.sent, True, late_out)):
            share, least = FRAMING
            most = int(share * direction.payload) + least
            _check_bytes(audit, pair, direction.payload, (-late if by_us else 0, most), by_us=by_us)


def _unread(audit: HostAudit, pair: Pair) -> list[Sight]:
    """Return the blocks that the program may not have read."""
    end, acknowledged = audit.end_of(pair.traced), pair.received.acknowledged
    return [sight for sight in pair.received.of("piece") if sight.t > end or sight.end > acknowledged]


def _check_bytes(audit: HostAudit, pair: Pair, seen: int, allowed: tuple[int, int], *, by_us: bool) -> None:
    """Note whether the capture has as many bytes as the trace, or how many more there may be and are."""
    traced = pair.traced.bytes_sent if by_us else pair.traced.bytes_received
    if not traced and not seen:
        return
    count, difference = audit.into.count("bytes"), seen - traced
    count.traced += 1
    count.seen += 1
    is_framing = pair.seen.application != PEER_WIRE and 0 <= difference <= allowed[1]
    if difference == 0 or is_framing:
        count.agree += 1
    elif allowed[0] <= difference <= allowed[1]:
        audit.into.explain("bytes", UNREAD if not by_us else UNSENT if difference < 0 else BEGUN)
    elif audit.witness.was_killed and pair.traced.ended is None and difference > 0:
        audit.into.explain("bytes", KILLED)
    elif audit.witness.is_lacking and difference < 0:
        audit.into.explain("bytes", LACKING)
    else:
        way = f"{'to' if by_us else 'from'} {_name(pair.traced)}"
        what = f"bytes {way}: {traced} in the trace, {seen} on the wire"
        ended = pair.traced.ended if pair.traced.ended is not None else audit.host.last
        audit.into.disagree(Disagreement(audit.host.name, "bytes", what, ended, pair.traced.line))


def _blocks(direction: SeenDirection) -> int:
    return sum(map(_length, direction.of("piece")))


def _length(sight: Sight) -> int:
    return sight.detail[2]


def compare_unpaired(
    audit: HostAudit, only_traced: Iterable[TracedConnection], only_seen: Iterable[SeenConnection]
) -> None:
    """Say why a connection is only in the trace, or only in the capture."""
    count = audit.into.count("connection")
    for traced in only_traced:
        count.traced += 1
        if traced.endpoint.address in audit.witness.addresses:
            audit.into.explain("connection", OURSELVES)
        elif audit.witness.is_lacking:
            audit.into.explain("connection", LACKING)
        else:
            what = f"{_name(traced)}: not on the wire"
            audit.into.disagree(Disagreement(audit.host.name, "connection", what, traced.t, line=traced.line))
    for seen in only_seen:
        is_opener = seen.opener.address in audit.witness.addresses
        sent = seen.forward if is_opener else seen.back
        theirs = seen.acceptor if is_opener else seen.opener
        if seen.application not in _OURS or theirs.address in audit.witness.trackers:
            continue
        count.seen += 1
        if not sent.sights and sent.payload == 0:
            audit.into.explain("connection", REFUSED)
        elif audit.witness.was_killed and seen.began > audit.host.last - LOST_SECONDS:
            audit.into.explain("connection", KILLED)
        else:
            what = f"{theirs.address}:{theirs.port}: not in the trace"
            packet = min((each.packet for way in (seen.forward, seen.back) for each in way.sights), default=None)
            audit.into.disagree(Disagreement(audit.host.name, "connection", what, seen.began, packet=packet))
