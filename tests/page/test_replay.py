"""A replay: what traces say of a trial, put together."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.events import (
    Choked,
    Completed,
    Connected,
    Disconnected,
    Interested,
    Joined,
    Left,
    Moved,
    Opened,
    PieceCompleted,
    TraceEvent,
    Unchoked,
)
from testbed.results.replay import read_replay
from testbed.results.replay.history import CHOKED, OPTIMISTIC, UNCHOKED, Bytes, history_of
from testbed.results.replay.swarm import Replay
from testbed.runfolder.damage import DamageError
from testbed.runfolder.record import HostRecord
from tests.runfolder.runs import GOLDEN, golden, write_run, write_trial

GIVER = HostRecord(name="server", role="server", address="198.18.0.1")
TAKER = HostRecord(name="p1", role="peer", address="198.18.0.2", group="homes")

Events = Sequence[tuple[float, TraceEvent]]


def joins(name: str, t: float = 0.0, *, have: int = 0, pieces: int = 4) -> Events:
    return [(t, Joined(name, "00", 1)), (t, Opened("f", 400, 100, pieces, have))]


def meets(host: HostRecord, t: float = 0.0, neighbour: int = 1) -> Events:
    return [(t, Connected(neighbour, f"{host.address}:6881", True))]


def replayed(giver: Events | None, taker: Events | None, seconds: float = 4.0) -> Any:
    """Return the data of a replay of two hosts, of which one may have no trace."""
    told = {"server": giver, "p1": taker}
    histories = {name: history_of(events) for name, events in told.items() if events is not None}
    return Replay("x", seconds, (GIVER, TAKER), histories).as_json()


def test_receiver_says_what_moved_and_giver_who_may_request() -> None:
    giver = [*joins("g", have=4), *meets(TAKER), (1.0, Unchoked(1, True)), (2.0, Moved(((1, 0, 999),)))]
    taker = [*joins("t"), *meets(GIVER), (1.1, Unchoked(1, False)), (2.0, Moved(((1, 300, 0),)))]
    (link,) = replayed(giver, taker)["links"]
    assert (link["from"], link["to"]) == (0, 1)
    assert link["moved"] == [1, 300]
    assert link["slots"] == [1.0, UNCHOKED, 2.0, CHOKED]


@pytest.mark.parametrize("silent", ["giver", "taker"])
def test_one_trace_is_enough(silent: str) -> None:
    giver = [*joins("g", have=4), *meets(TAKER), (1.0, Unchoked(1, True)), (2.0, Moved(((1, 0, 300),)))]
    taker = [*joins("t"), *meets(GIVER), (1.0, Unchoked(1, False)), (2.0, Moved(((1, 300, 0),)))]
    (link,) = replayed(None if silent == "giver" else giver, None if silent == "taker" else taker)["links"]
    assert (link["from"], link["moved"], link["slots"]) == (0, [1, 300], [1.0, UNCHOKED, 2.0, CHOKED])


def test_slots_that_begin_optimistically_are_marked_and_end_with_the_connection() -> None:
    giver = [
        *joins("g", have=4),
        *meets(TAKER),
        (1.0, Unchoked(1, True, "optimistic")),
        (2.0, Choked(1, True, "slower")),
        (2.5, Unchoked(1, True, "reciprocates")),
        (3.0, Disconnected(1, True, "", 0, 0)),
    ]
    (link,) = replayed(giver, None)["links"]
    assert link["slots"] == [1.0, OPTIMISTIC, 2.0, CHOKED, 2.5, UNCHOKED, 3.0, CHOKED]


def test_the_better_of_two_connections_counts() -> None:
    giver = [
        *joins("g", have=4),
        *meets(TAKER, neighbour=1),
        *meets(TAKER, neighbour=2),
        (1.0, Unchoked(1, True)),
        (1.5, Unchoked(2, True)),
        (2.0, Choked(1, True)),
        (3.0, Choked(2, True)),
    ]
    (link,) = replayed(giver, None)["links"]
    assert link["slots"] == [1.0, UNCHOKED, 3.0, CHOKED]


def test_interest_is_the_receivers() -> None:
    taker = [*joins("t"), *meets(GIVER), (1.0, Interested(1, True, True)), (2.0, Unchoked(1, False))]
    (link,) = replayed(None, taker)["links"]
    assert link["wants"] == [1.0, 1, 2.0, 0]


def test_last_bytes_of_a_connection_are_in_its_end() -> None:
    taker = [*joins("t"), *meets(GIVER), (1.0, Moved(((1, 100, 0),))), (1.8, Disconnected(1, False, "", 250, 0))]
    (link,) = replayed(None, taker)["links"]
    assert link["moved"] == [0, 100, 1, 150]


def test_pieces_and_shares() -> None:
    taker = [*joins("t"), (0.5, PieceCompleted(2, 1, (1,))), (2.5, PieceCompleted(0, 2, (1,)))]
    found = replayed(joins("g", have=4), taker)
    server, peer = found["hosts"]
    assert found["pieces"] == 4
    assert server["held"] == {"first": [0, 1, 2, 3], "times": [], "pieces": []}
    assert peer["held"] == {"first": [], "times": [0.5, 2.5], "pieces": [2, 0]}
    assert peer["shares"] == [0, 250, 250, 500, 500]
    assert server["shares"] == [1000] * 5


def test_without_pieces_shares_are_of_bytes_and_whole_only_at_completion() -> None:
    moves = [(t, Moved(((1, 150, 0),))) for t in (1.0, 2.0, 3.0)]
    taker = [*joins("t"), *meets(GIVER), *moves, (3.5, Completed(450, 0, 50))]
    found = replayed(None, taker)
    assert found["pieces"] is None
    assert found["hosts"][1]["shares"] == [0, 375, 750, 990, 1000]


def test_size_is_what_one_received_where_no_program_says_it() -> None:
    taker = [(0.0, Joined("http", "", 1)), *meets(GIVER), (1.0, Moved(((1, 200, 0),))), (2.0, Moved(((1, 200, 0),)))]
    assert replayed(None, [*taker, (2.0, Completed(400, 0, 0))])["hosts"][1]["shares"] == [0, 500, 1000, 1000, 1000]


def test_lives_are_those_in_the_trace() -> None:
    taker = [*joins("a", 0.5), (1.0, Left("away", 0, 0, 0, 0)), *joins("b", 2.0)]
    server, peer = replayed(None, taker)["hosts"]
    assert peer["lives"] == [[0.5, 1.0], [2.0, 4.0]]
    assert server["lives"] == [[0.0, 4.0]]


def test_long_trials_have_longer_steps() -> None:
    found = replayed(joins("g", have=4), joins("t"), seconds=3600.0)
    assert found["step"] == 10
    assert len(found["hosts"][0]["shares"]) == 361


def test_crowds_have_longer_steps() -> None:
    crowd = tuple(HostRecord(name=f"p{number}", role="peer", address="") for number in range(300))
    assert (Replay("x", 120.0, crowd, {}).step, Replay("x", 120.0, crowd[:30], {}).step) == (2, 1)


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(1, 10**6)), max_size=20))
def test_no_byte_is_lost_or_made(moves: list[tuple[float, int]]) -> None:
    moved = [(t, Moved(((1, count, 0),))) for t, count in sorted(moves)]
    links = replayed(None, [*joins("t"), *meets(GIVER), *moved], seconds=20.0)["links"]
    found = sum(sum(link["moved"][1::2]) for link in links)
    assert found == pytest.approx(sum(count for _, count in moves), abs=len(moves) + 1)


def test_a_second_is_the_longest_that_a_line_is_about() -> None:
    taker: Iterable[tuple[float, TraceEvent]] = [*joins("t"), *meets(GIVER), (9.0, Moved(((1, 10, 0),)))]
    assert history_of(taker).connections[0].taken.moved == [Bytes(8.0, 9.0, 10)]


def test_trial_is_read_from_its_folder(tmp_path: Path) -> None:
    trial = write_run(tmp_path, GOLDEN).trials[0]
    folder = write_trial(tmp_path, trial, golden())
    found = read_replay(folder, trial).as_json()
    assert [(host["name"], host["group"]) for host in found["hosts"]] == [
        ("server", "server"),
        ("p1", "fast"),
        ("p2", "slow"),
    ]
    moved = {(link["from"], link["to"]): sum(link["moved"][1::2]) for link in found["links"]}
    assert moved == {(0, 1): 1_500_000, (0, 2): 1_500_000, (1, 2): 750_000, (2, 1): 500_000}


def test_damaged_trace_is_named(tmp_path: Path) -> None:
    trial = write_run(tmp_path, GOLDEN).trials[0]
    folder = write_trial(tmp_path, trial, golden())
    (folder / "p1.jsonl.gz").write_bytes(b"no trace")
    with pytest.raises(DamageError, match=r"p1\.jsonl\.gz: cannot be replayed"):
        read_replay(folder, trial)
