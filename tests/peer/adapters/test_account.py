"""From the states of a client to the events of its trace."""

import json
from pathlib import Path
from typing import Any

from peer.adapters.adapter import Neighbour, State
from peer.adapters.life.account import Account
from peer.bittorrent.wire.metainfo.metainfo import make_info
from peer.trace.file import TraceFile
from peer.trace.recorder import TraceRecorder

A, B = "198.18.0.1:6881", "198.18.0.2:5000"


def recorded(folder: Path, *states: State, is_seed: bool = False, counts_go_on: bool = False) -> list[dict[str, Any]]:
    """Return the events of a client of 10 pieces of 16 KiB that said this, one state a second."""
    with TraceFile(folder / "trace", {"program": "it 1.0"}) as trace:
        recorder = TraceRecorder(trace)
        account = Account(make_info("file", 163840, 16384, [bytes(20)] * 10), recorder, counts_go_on=counts_go_on)
        account.joined("it", 6881, is_seed=is_seed)
        for state in states:
            account.take(state)
            recorder.flush()
        recorder.left("done", account.have_count)
    lines = (folder / "trace").read_text().splitlines()[1:]
    return [{key: value for key, value in json.loads(line).items() if key != "t"} for line in lines]


def of(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == kind]


def test_totals_alone_are_of_no_neighbour(tmp_path: Path) -> None:
    events = recorded(
        tmp_path,
        State(is_complete=False, have=16384, received=20000, sent=10),
        State(is_complete=False, have=16384, received=20000, sent=10),
        State(is_complete=True, have=163840, received=170000, sent=50, wasted=6160),
    )
    assert [event["bytes"] for event in of(events, "moved")] == [[[0, 20000, 10]], [[0, 150000, 40]]]
    assert of(events, "completed") == [{"event": "completed", "received": 170000, "sent": 50, "wasted": 6160}]
    assert of(events, "left")[0]["have_count"] == 10


def test_connections_are_numbered_and_their_bytes_are_theirs(tmp_path: Path) -> None:
    events = recorded(
        tmp_path,
        State(False, received=100, sent=7, neighbours=[Neighbour(A, True, 100, 0), Neighbour(B, False, 0, 7)]),
        State(False, received=160, sent=7, neighbours=[Neighbour(A, True, 150, 0)]),
        State(False, received=165, sent=7, neighbours=[Neighbour(A, True, 5, 0)]),
    )
    assert [(event["neighbour"], event["address"], event["is_outgoing"]) for event in of(events, "connected")] == [
        (1, A, True),
        (2, B, False),
        (3, A, True),
    ]
    assert [(event["neighbour"], event["received"], event["sent"]) for event in of(events, "disconnected")] == [
        (2, 0, 7),
        (1, 150, 0),
    ]
    assert [event["bytes"] for event in of(events, "moved")] == [
        [[1, 100, 0], [2, 0, 7]],
        [[1, 50, 0], [0, 10, 0]],
        [[3, 5, 0]],
    ]
    assert of(events, "left")[0]["received"] == 165, "10 bytes came on a connection that nobody saw"


def test_counts_that_go_on_when_a_host_comes_back_are_recorded_once(tmp_path: Path) -> None:
    again, changed = "198.18.0.1:40000", "198.18.0.1:50000"
    events = recorded(
        tmp_path,
        State(False, received=100, sent=7, neighbours=[Neighbour(A, True, 100, 7)]),
        State(False, received=130, sent=7, neighbours=[]),
        State(False, received=150, sent=9, neighbours=[Neighbour(again, False, 150, 9)]),
        State(False, received=170, sent=9, neighbours=[Neighbour(again, False, 170, 9)]),
        State(False, received=175, sent=9, neighbours=[Neighbour(changed, False, 5, 0)]),
        counts_go_on=True,
    )
    assert [event["bytes"] for event in of(events, "moved")] == [
        [[1, 100, 7]],
        [[0, 30, 0]],
        [[0, 20, 2]],
        [[2, 20, 0]],
        [[3, 5, 0]],
    ]
    assert of(events, "left")[0]["received"] == 175


def test_seed_never_completes(tmp_path: Path) -> None:
    events = recorded(tmp_path, State(is_complete=True, received=0, sent=5), is_seed=True)
    assert of(events, "completed") == []
    assert of(events, "opened")[0]["have_count"] == 10
