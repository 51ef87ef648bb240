"""The parts of the audit, without a trial: sequences, connections, clocks, and what is explained."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.audit.findings import Findings, joined, quantiles
from testbed.audit.hosts import audit_host
from testbed.audit.pairing import paired
from testbed.audit.seen import PEER_WIRE, SeenConnection, SeenDirection, Sight
from testbed.audit.sequences import aligned, changes
from testbed.audit.traced import Fact, TracedConnection, TraceLineError, read_traced
from testbed.audit.witness import Witness
from testbed.wiretap.messages import Endpoint

US, THEM = Endpoint("198.18.0.1", 6881), Endpoint("198.18.0.2", 40_000)
KINDS = st.lists(st.sampled_from(["choke", "unchoke", "interested", "request"]), max_size=40)
T0 = 100.0


def facts(kinds: list[str], step: float = 0.1) -> list[Fact]:
    return [Fact(kind, (), 1 + step * k, k + 1) for k, kind in enumerate(kinds)]


def sights(kinds: list[str], shift: float = -0.001, step: float = 0.1) -> list[Sight]:
    return [Sight(kind, (), 1 + step * k + shift, k + 1, 5 * k + 5) for k, kind in enumerate(kinds)]


@given(KINDS)
def test_same_sequences_are_paired_completely(kinds: list[str]) -> None:
    both = aligned(facts(kinds), sights(kinds))
    assert len(both.pairs) == len(kinds)
    assert not both.only_traced
    assert not both.only_seen


@given(KINDS, KINDS)
def test_alignment_keeps_order_and_loses_nothing(one: list[str], other: list[str]) -> None:
    both = aligned(facts(one), sights(other))
    assert len(both.pairs) + len(both.only_traced) == len(one)
    assert len(both.pairs) + len(both.only_seen) == len(other)
    assert all(fact.kind == sight.kind for fact, sight in both.pairs)
    for column in (0, 1):
        lines = [pair[column][3] for pair in both.pairs]
        assert lines == sorted(lines)


@given(st.lists(st.sampled_from(["choke", "unchoke"]), max_size=30))
def test_changes_alternate(kinds: list[str]) -> None:
    found = [sight.kind for sight in changes(sights(kinds), "choke")]
    assert found == ["unchoke" if k % 2 == 0 else "choke" for k in range(len(found))]


def seen_from(number: int, port: int, kinds: list[str], began: float = 0.5) -> SeenConnection:
    """A connection that we dialled from a port, on which the other end sent some messages."""
    back = SeenDirection(sights(kinds), acknowledged=10**6, last=9.0)
    return SeenConnection(number, Endpoint(US.address, port), THEM, began, 9.0, PEER_WIRE, back=back)


def test_of_two_connections_to_one_address_each_gets_its_own() -> None:
    calm, busy = ["unchoke"], ["unchoke", "choke", "unchoke", "interested"]
    traced = [
        TracedConnection(number, THEM, is_outgoing=True, t=0.51, line=number, received=facts(kinds))
        for number, kinds in ((1, busy), (2, calm))
    ]
    found = paired(traced, [seen_from(0, 5, calm), seen_from(1, 6, busy)], {US.address}, 0.05, "summary")
    assert [(pair.traced.neighbour, pair.seen.number) for pair in found.pairs] == [(1, 1), (2, 0)]


def line(t: float, event: str, **fields: Any) -> bytes:
    return json.dumps({"t": T0 + t, "event": event, **fields}).encode() + b"\n"


def trace(*lines: bytes) -> list[bytes]:
    head = [
        line(-1.0, "trace", version=1, unix=1000.0, strategy="tit-for-tat"),
        line(-1.0, "joined", peer_id="aa", info_hash="bb", port=6881),
        line(0.5, "connected", neighbour=1, address=f"{THEM.address}:{THEM.port}", is_outgoing=True),
    ]
    return [*head, *lines]


def audited(lines: list[bytes], seen: SeenConnection, **more: Any) -> Findings:
    known: dict[str, Any] = {"level": "summary", "was_killed": False, "is_lacking": False, "is_cut": False}
    witness = Witness(addresses={US.address}, trackers=(), origin=1001.0, **(known | more))
    return audit_host(read_traced("p1", lines, T0), witness, [seen])


def unchoked(t: float, *, by_us: bool = False) -> bytes:
    return line(t, "unchoked", neighbour=1, by_us=by_us)


def disconnected(t: float) -> bytes:
    return line(t, "disconnected", neighbour=1, by_us=True, reason="", received=0, sent=0)


def test_message_that_came_at_the_end_may_be_unread() -> None:
    late, early = disconnected(1.1), disconnected(5.0)
    assert audited(trace(late), seen_from(0, 5, ["unchoke"])).explained.total() == 1
    (found,) = audited(trace(early), seen_from(0, 5, ["unchoke"])).disagreements
    assert (found.kind, found.packet, found.line) == ("unchoke", 1, None)


def test_message_that_was_never_acknowledged_may_be_unread() -> None:
    seen = seen_from(0, 5, ["unchoke"])
    seen.back.acknowledged = 4
    assert audited(trace(disconnected(5.0)), seen).agrees


@pytest.mark.parametrize(("last", "agrees"), [(0.9, True), (6.0, False)])
def test_message_that_never_left_was_the_last(last: float, *, agrees: bool) -> None:
    seen = seen_from(0, 5, [])
    seen.forward.last = last
    assert audited(trace(unchoked(1.0, by_us=True), disconnected(1.2)), seen).agrees is agrees


def test_last_lines_of_killed_program_may_be_lost() -> None:
    seen = seen_from(0, 5, ["unchoke", "choke"])
    assert audited(trace(unchoked(1.0)), seen, was_killed=True).agrees
    assert not audited(trace(unchoked(1.0), line(4.0, "lagged", seconds=0.0)), seen, was_killed=True).agrees


@given(st.floats(-0.4, 0.4))
def test_clock_that_is_wrong_is_found_whichever_way(shift: float) -> None:
    kinds = ["unchoke", "choke"] * 20
    seen = seen_from(0, 5, kinds)
    seen.back.sights = [each._replace(t=each.t + 0.0009 + shift) for each in seen.back.sights]
    seen.forward.sights = [
        Sight("interested" if k % 2 == 0 else "not interested", (), 1 + k / 10 + 0.0001 + shift, k, 5 * k)
        for k in range(40)
    ]
    lines = [
        part
        for k in range(40)
        for part in (
            line(1 + k / 10, "unchoked" if k % 2 == 0 else "choked", neighbour=1, by_us=False),
            line(1 + k / 10, "interested", neighbour=1, by_us=True, is_interested=k % 2 == 0),
        )
    ]
    found = audited(trace(*lines, disconnected(8.0)), seen)
    is_off = any("one of the clocks is off" in each.what for each in found.disagreements)
    if abs(shift) > 0.0025:
        assert is_off
    if abs(shift) < 0.0005:
        assert not is_off


def test_line_that_is_no_event_is_damage_with_its_number() -> None:
    with pytest.raises(TraceLineError) as caught:
        read_traced("p1", [*trace(), b'{"t":1,"event":"nonsense"}\n'], T0)
    assert caught.value.line == 4
    with pytest.raises(TraceLineError, match="never made"):
        read_traced("p1", trace(line(1.0, "unchoked", neighbour=7, by_us=True)), T0)


def test_torn_last_line_of_killed_program_is_ignored() -> None:
    assert read_traced("p1", [*trace(), b'{"t":1,"ev'], T0, may_be_torn=True).name == "p1"


def test_findings_of_hosts_add_up() -> None:
    one, other = Findings(), Findings()
    one.count("choke").agree = 3
    other.count("choke").agree = 4
    other.explain("choke", "because", 2)
    other.received.extend([0.1, 0.2])
    total = joined([one, other])
    assert (total.compared, total.counts["choke"].explained, total.agrees) == (7, 2, True)
    found = quantiles(total.received)
    assert found is not None
    assert (found.number, found.least, found.most) == (2, 0.1, 0.2)
    assert quantiles([]) is None
