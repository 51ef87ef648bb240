"""The sums over a trace: bytes and unchoked time of connections, and the lives of an application."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.runfolder.damage import DamageError
from testbed.runfolder.traces import HostTrace, read_trace
from tests.runfolder.runs import (
    T0,
    Events,
    choked,
    completed,
    connected,
    event,
    header,
    joined,
    left,
    moved,
    opened,
    unchoked,
    write_lines,
)


def read(folder: Path, events: Events, end: float = 10.0, *, may_be_torn: bool = False) -> HostTrace:
    file = folder / "p1.jsonl.gz"
    write_lines(file, (json.dumps(each, separators=(",", ":")) for each in events))
    return read_trace(file, T0, T0 + end, may_be_torn=may_be_torn)


def begun() -> Events:
    return [header(), joined(0.0, "p1"), *connected(0.1, 1, "198.18.0.9")]


def ended(t: float, received: int, sent: int) -> dict[str, object]:
    return event(t, "disconnected", neighbour=1, by_us=True, reason="", received=received, sent=sent)


def test_bytes_are_summed_by_connection_and_by_second(tmp_path: Path) -> None:
    events = [*begun(), *connected(0.2, 2, "198.18.0.8"), moved(1.9, (1, 10, 1), (2, 20, 2)), moved(2.1, (2, 5, 0))]
    trace = read(tmp_path, events)
    assert [(connection.received, connection.sent) for connection in trace.connections] == [(10, 1), (25, 2)]
    assert trace.by_second == {1: (30, 3), 2: (5, 0)}
    assert (trace.received, trace.sent) == (35, 3)


def test_disconnection_adds_the_last_bytes(tmp_path: Path) -> None:
    trace = read(tmp_path, [*begun(), moved(1.5, (1, 100, 50)), ended(2.2, received=130, sent=50)])
    assert (trace.received, trace.sent) == (130, 50)
    assert trace.by_second == {1: (100, 50), 2: (30, 0)}


def test_bytes_of_an_ended_connection_count_once(tmp_path: Path) -> None:
    trace = read(
        tmp_path, [*begun(), moved(1.5, (1, 100, 0)), ended(2.2, received=130, sent=0), moved(2.5, (1, 30, 0))]
    )
    assert trace.received == 130
    assert trace.connections[0].received == 130


def test_unchoked_times_are_summed_for_both_directions(tmp_path: Path) -> None:
    events = [
        *begun(),
        unchoked(1.0, 1),
        unchoked(1.2, 1),
        unchoked(1.5, 1, by_us=False),
        choked(2.0, 1),
        choked(2.1, 1),
        unchoked(3.0, 1),
        ended(4.0, 0, 0),
        left(9.0),
    ]
    connection = read(tmp_path, events).connections[0]
    assert connection.unchoked_by_us.total == pytest.approx(2.0)
    assert connection.unchoked_by_them.total == pytest.approx(2.5)


def test_open_periods_end_with_the_trial(tmp_path: Path) -> None:
    trace = read(tmp_path, [*begun(), unchoked(1.0, 1), left(30.0)], end=8.0)
    assert trace.connections[0].unchoked_by_us.total == pytest.approx(7.0)


def test_lives_have_separate_connections(tmp_path: Path) -> None:
    first = [*begun(), moved(1.0, (1, 7, 0)), completed(1.5, wasted=2), left(2.0, wasted=3)]
    second = [header(4.0), joined(4.0, "again"), *connected(4.1, 1, "198.18.0.9"), moved(5.0, (1, 5, 0))]
    trace = read(tmp_path, [*first, *second])
    assert [connection.received for connection in trace.connections] == [7, 5]
    assert (trace.join_times, trace.leave_times, trace.has_left) == ([0.0, 4.0], [2.0], False)
    assert (trace.completed, trace.wasted, trace.last) == (1.5, 3, 5.0)


def test_bytes_sent_as_leech_are_distinguished(tmp_path: Path) -> None:
    leech = [header(), joined(0.0, "p1"), opened(0.0, pieces=4, have=0), *connected(0.1, 1, "198.18.0.9")]
    done = [moved(1.0, (1, 9, 7)), completed(1.5), moved(2.0, (1, 0, 5)), left(3.0)]
    seed = [header(4.0), joined(4.0, "p1"), opened(4.0, pieces=4, have=4), *connected(4.1, 1, "198.18.0.9")]
    trace = read(tmp_path, [*leech, *done, *seed, moved(5.0, (1, 0, 3))])
    assert [(connection.sent, connection.sent_as_leech) for connection in trace.connections] == [(12, 7), (3, 0)]


def test_unfinished_peer_sends_everything_as_leech(tmp_path: Path) -> None:
    trace = read(
        tmp_path, [header(), opened(0.0, pieces=4, have=0), *connected(0.1, 1, "198.18.0.9"), moved(1.0, (1, 9, 7))]
    )
    assert trace.connections[0].sent_as_leech == 7


def test_failures_are_counted(tmp_path: Path) -> None:
    events = [
        *begun(),
        event(1.0, "error", what="a"),
        event(1.0, "error", what="b"),
        event(1.0, "banned", host="h", reason="r"),
        event(1.0, "piece_failed", index=1, neighbours=[1]),
    ]
    trace = read(tmp_path, events)
    assert (trace.errors, trace.bans, trace.failed_pieces) == (2, 1, 1)


def test_unknown_connection_is_reported_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DamageError, match=r"p1\.jsonl\.gz:6: .*connection 7 was never made"):
        read(tmp_path, [*begun(), *[moved(k, (1, 1, 1)) for k in (1, 2)], moved(3, (1, 1, 1), (7, 1, 1)), left(4)])


def test_only_the_last_line_can_be_torn(tmp_path: Path) -> None:
    with pytest.raises(DamageError, match=r"p1\.jsonl\.gz:3: is not a line"):
        spoil(tmp_path, [*map(json.dumps, begun()[:2]), '{"t":5', json.dumps(moved(1.0, (1, 1, 1)))])


def spoil(folder: Path, lines: list[str]) -> HostTrace:
    write_lines(folder / "p1.jsonl.gz", lines)
    return read_trace(folder / "p1.jsonl.gz", T0, T0 + 10, may_be_torn=True)


amounts = st.tuples(st.integers(1, 5), st.integers(0, 1 << 20), st.integers(0, 1 << 20))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(amounts, min_size=1, max_size=4), max_size=30), st.booleans())
def test_every_byte_is_counted_once(
    tmp_path_factory: pytest.TempPathFactory, seconds: list[list[tuple[int, int, int]]], is_spaced: bool
) -> None:
    """Lines as our programs write them are read many at once; those with spaces one by one."""
    events: Events = [header(), joined(0, "p1")]
    for neighbour in range(1, 6):
        events += connected(0.0, neighbour, f"198.18.0.{neighbour}")
    events += [moved(k + 0.5, *rows) for k, rows in enumerate(seconds)]
    file = tmp_path_factory.mktemp("trace") / "p1.jsonl.gz"
    write_lines(file, (json.dumps(each, separators=(", ", ":") if is_spaced else (",", ":")) for each in events))
    trace = read_trace(file, T0, T0 + 40)
    received = sum(row[1] for rows in seconds for row in rows)
    assert trace.received == received
    assert sum(connection.received for connection in trace.connections) == received
    for second, rows in enumerate(seconds):
        assert trace.by_second[second] == (sum(row[1] for row in rows), sum(row[2] for row in rows))
