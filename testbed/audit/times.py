"""Whether the clock of a trace and that of a capture tell the same time.

A message is captured before its receiver can know of it, and after its sender has decided to send it. So both clocks
are right only if the trace is later than the packets that came in, and earlier than those that went out: a clock that
is wrong in either direction makes one of the two impossible.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from contract.wording import one_or_many
from testbed.audit.findings import Disagreement, Findings
from testbed.audit.seen import Sight
from testbed.audit.traced import Fact, TracedHost

CLOCK_SECONDS: Final = 0.001
"""What the clocks may be apart, seen over all messages: two programs read each of them in turn."""
EVENT_SECONDS: Final = 0.05
"""How far one event may be on the wrong side of its packet: a program reads the clock first and the socket next, and
can lose the processor in between."""
LATE_SECONDS: Final = 1.0
"""How late a message may be read, more than the event loop says that it was late: it looks once a second."""
FEWEST: Final = 20
"""The messages from which the clock as a whole is judged."""
RARE: Final = 0.05
"""The share of messages that may be on the wrong side of their packets by more than CLOCK_SECONDS."""

Match = tuple[Fact, Sight]


def compare_times(
    host: TracedHost, received: Sequence[Match], sent: Sequence[Match], origin: float, into: Findings
) -> None:
    """Note the differences of all pairs of a host, and those that cannot be; `origin` is t = 0 on the wall clock."""
    late = [fact.t - sight.t for fact, sight in received]
    queued = [sight.t - fact.t for fact, sight in sent]
    into.received.extend(late)
    into.sent.extend(queued)
    _check_clock(host, received, late, "received", into)
    _check_clock(host, sent, queued, "sent", into)
    _check_lateness(host, received, into)
    _check_lines(host, into)
    _check_headers(host, origin, into)


def _check_clock(
    host: TracedHost, pairs: Sequence[Match], differences: Sequence[float], word: str, into: Findings
) -> None:
    """Look at the messages that were read before their packets came, or sent before it was decided."""
    wrong = [number for number, difference in enumerate(differences) if difference < -CLOCK_SECONDS]
    order = "before their packets" if word == "received" else "after their packets"
    if len(wrong) > RARE * len(differences) and len(differences) >= FEWEST:
        worst = min(wrong, key=differences.__getitem__)
        fact, sight = pairs[worst]
        what = (
            f"{len(wrong)} of {len(pairs)} messages that it {word} {one_or_many(len(wrong), 'is', 'are')} in the trace"
            f" {order}, by up to {-1000 * differences[worst]:.3g} ms: one of the clocks is off"
        )
        into.disagree(Disagreement(host.name, "clock", what, fact.t, fact.line, sight.packet))
        return
    reason = "the program lost the processor between reading the clock and the socket"
    for number in wrong:
        fact, sight = pairs[number]
        if differences[number] >= -EVENT_SECONDS - host.worst_lag:
            into.explain("clock", reason)
        else:
            what = f"{fact.kind}, {word}, is in the trace {-1000 * differences[number]:.3g} ms {order}"
            into.disagree(Disagreement(host.name, "clock", what, fact.t, fact.line, sight.packet))


def _check_lateness(host: TracedHost, received: Iterable[Match], into: Findings) -> None:
    """A message that waits longer than the loop was ever late was not traced when it was read.

    Until the torrent is known, messages wait for it.
    """
    opened = [life.opened for life in host.lives if life.opened is not None]
    most = LATE_SECONDS + 2 * host.worst_lag
    for fact, sight in received:
        late = fact.t - max([sight.t, *(each for each in opened if each <= fact.t)])
        if late > most:
            what = f"{fact.kind} is in the trace {1000 * late:.0f} ms after it had come"
            into.disagree(Disagreement(host.name, "clock", what, fact.t, fact.line, sight.packet))


def _check_lines(host: TracedHost, into: Findings) -> None:
    """Lines are written in their order, but for the time that one wake-up takes."""
    for line, by in host.backward:
        if by <= LATE_SECONDS + 2 * host.worst_lag:
            into.explain("clock", "a line has the time of its cause, which is older than the line above it")
        else:
            what = f"the line is {by:.3g} s older than a line above it"
            into.disagree(Disagreement(host.name, "clock", what, host.last, line))


def _check_headers(host: TracedHost, origin: float, into: Findings) -> None:
    """Each life says what the wall clock showed: its error is that of reading two clocks in turn."""
    for life in host.lives:
        difference = 0.0 if life.wall_offset is None else life.wall_offset - origin
        if abs(difference) > EVENT_SECONDS + host.worst_lag:
            what = f"its header has another wall clock than the other traces: {difference:+.3g} s"
            into.disagree(Disagreement(host.name, "clock", what, life.t, life.line))
