"""The audit of one host: its trace, and the capture of its own interface."""

from collections.abc import Sequence

from testbed.audit.comparing import UNREAD_SECONDS, HostAudit, compare_connections, compare_unpaired
from testbed.audit.findings import Findings
from testbed.audit.pairing import Pair, paired
from testbed.audit.pieces import compare_pieces
from testbed.audit.seen import SeenConnection
from testbed.audit.sequences import aligned, telling, tracks_at
from testbed.audit.times import EVENT_SECONDS, LATE_SECONDS, compare_times
from testbed.audit.traced import TracedHost
from testbed.audit.witness import Witness


def audit_host(host: TracedHost, witness: Witness, seen: Sequence[SeenConnection]) -> Findings:
    """Compare everything that both say of one host."""
    into = Findings()
    audit = HostAudit(host, witness, into)
    found = paired(host.connections, seen, witness.addresses, EVENT_SECONDS + host.worst_lag, witness.level)
    audit.patience = _patience(host, found.pairs, witness.level)
    compare_connections(audit, found.pairs)
    compare_unpaired(audit, found.only_traced, found.only_seen)
    if witness.level:
        compare_pieces(audit, found.pairs)
    compare_times(host, audit.received, audit.sent, witness.origin, into)
    return into


def _patience(host: TracedHost, pairs: Sequence[Pair], level: str) -> float:
    """Return how long a message may wait to be read: twice as long as any did that was read."""
    waits = [
        fact.t - sight.t
        for pair in pairs
        for kinds in tracks_at(level)
        for fact, sight in aligned(
            [fact for fact in pair.traced.received if fact.kind in kinds], telling(pair.received.sights, kinds)
        ).pairs
    ]
    return min(max(UNREAD_SECONDS, 2 * max(waits, default=0.0)), LATE_SECONDS) + host.worst_lag
