"""The reader of traces follows the contract of their writers."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.encoding import EVENTS, encode, encode_header
from contract.events import (
    Banned,
    Choked,
    Completed,
    Connected,
    Disconnected,
    Erred,
    Handshaken,
    Joined,
    Left,
    Moved,
    Opened,
    PieceCompleted,
    PieceFailed,
    TraceEvent,
    Unchoked,
)
from contract.overlay_events import Spent
from testbed.runfolder.moved_lines import MovedLines
from testbed.runfolder.traces import HANDLED, IGNORED, HostTrace, InitialPieces, read_trace
from tests.runfolder.runs import T0, write_lines

AMOUNTS = st.integers(0, 10**15 - 1)


def test_every_event_is_handled_or_ignored() -> None:
    assert set(EVENTS.values()) == HANDLED | IGNORED
    assert not HANDLED & IGNORED


@given(
    st.lists(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS), min_size=1, max_size=20).map(tuple),
    st.floats(0, 1e9),
)
def test_moved_lines_of_the_encoder_are_read_as_arrays(rows: tuple[tuple[int, int, int], ...], t: float) -> None:
    lines = MovedLines(0.0)
    assert lines.collect(1, encode(Moved(rows), t)) == pytest.approx(t, abs=1e-6, rel=1e-15)
    assert lines.read().rows.tolist() == [list(row) for row in rows]


@pytest.mark.parametrize(
    "line",
    [
        b'{"t":1.5,"event":"moved","bytes":[]}\n',
        b'{"t":1.5,"event":"moved","bytes":[[1,2]]}\n',
        b'{"t":1.5,"event":"moved","bytes":[[1,2,3],]}\n',
        b'{"t":1.,"event":"moved","bytes":[[1,2,3]]}\n',
        b'{"t":1.5,"event":"moved","bytes":[[1,2,3]]}',
        b'{"t":1.5, "event":"moved","bytes":[[1,2,3]]}\n',
    ],
)
def test_other_moved_lines_are_left_to_the_json_reader(line: bytes) -> None:
    assert MovedLines(0.0).collect(1, line) is None


HISTORY: list[tuple[float, TraceEvent]] = [
    (0.0, Joined("ab" * 20, "00", 6881)),
    (0.1, Opened("f", 2, 1, 2, 0)),
    (0.2, Connected(1, "198.18.0.9:6881", is_outgoing=True)),
    (0.3, Handshaken(1, "cd" * 20, "", is_fast=True, is_extended=True)),
    (1.0, Unchoked(1, by_us=True, reason="reciprocates")),
    (1.5, Moved(((1, 100, 7),))),
    (2.0, Choked(1, by_us=True)),
    (2.5, PieceCompleted(1, 1, (1,))),
    (2.6, PieceFailed(0, (1,))),
    (2.7, Banned("198.18.0.8", None, "lies")),
    (2.8, Erred("a tracker is away")),
    (2.9, Spent((("", 2, 100), ("ab", 1, 30)), 1, 50)),
    (3.0, Completed(100, 7, 5)),
    (4.0, Disconnected(1, by_us=True, reason="bye", received=100, sent=9)),
    (5.0, Left("SIGTERM", 2, 100, 9, 5)),
]


def read(folder: Path, lines: list[bytes]) -> HostTrace:
    write_lines(folder / "p1.jsonl.gz", (line.decode().rstrip("\n") for line in lines))
    return read_trace(folder / "p1.jsonl.gz", T0, T0 + 10)


def written() -> list[bytes]:
    return [encode_header(T0, 1.0, {}), *(encode(event, T0 + t) for t, event in HISTORY)]


def test_written_trace_is_read_back(tmp_path: Path) -> None:
    trace = read(tmp_path, written())
    assert {type(event) for _, event in HISTORY} == HANDLED
    assert (trace.peer_ids, trace.join_times, trace.leave_times) == (["ab" * 20], [0.0], [5.0])
    assert trace.initial_pieces == [InitialPieces(pytest.approx(0.1), 2, 0)]
    assert (trace.received, trace.sent, trace.wasted, trace.completed) == (100, 9, 5, 3.0)
    assert (trace.failed_pieces, trace.bans, trace.errors) == (1, 1, 1)
    assert (trace.first_neighbour, trace.dht_sent) == (pytest.approx(0.3), 130)
    assert (trace.pieces, trace.leave_reason) == ([(2.5, 1)], "SIGTERM")
    (connection,) = trace.connections
    assert (connection.peer_id, connection.address) == ("cd" * 20, "198.18.0.9:6881")
    assert connection.unchoked_by_us.total == pytest.approx(1.0)


def test_spaces_and_field_order_do_not_matter(tmp_path: Path) -> None:
    foreign = [
        json.dumps(dict(reversed(json.loads(line).items())), separators=(", ", ": ")).encode() for line in written()
    ]
    assert read(tmp_path, foreign) == read(tmp_path, written())
