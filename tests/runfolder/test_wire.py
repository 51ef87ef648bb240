"""An application without a trace: its capture says when it completed, what it moved, and who was unchoked."""

from pathlib import Path

import pytest

from testbed.runfolder.record import RECORD, TrialRecord
from testbed.runfolder.trial_data import TrialData, read_trial
from testbed.runfolder.wire import WireReader
from testbed.tasks.tables import tables_of
from testbed.wiretap.messages import Endpoint, Message
from tests.audit.trials import change_record, copied, performed

HOMES = "homes: {count: 3, up: 8 Mbit/s, down: 32 Mbit/s}"
US, THEM = Endpoint("198.18.0.1", 6881), Endpoint("198.18.0.2", 40_000)
BLOCK = 16 << 10


def read(folder: Path) -> TrialData:
    record = TrialRecord.model_validate_json((folder / RECORD).read_bytes())
    return read_trial(folder, record.trial, traced=("server", "peer"))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrialData, TrialData]:
    """The same trial, as the traces of its hosts tell it and, without these, as their captures do."""
    folder = performed(tmp_path_factory.mktemp("wire"), peers=HOMES, more="trace_level: pieces\n")
    mute = copied(folder, tmp_path_factory.mktemp("mute") / "trial")

    def forget(entries: dict[str, list[dict[str, object]]]) -> None:
        for host in entries["hosts"]:
            host["trace"] = None

    change_record(mute, forget)
    return read(folder), read(mute)


@pytest.mark.kernel
@pytest.mark.alone
def test_wire_and_trace_agree_on_completion_within_milliseconds(both: tuple[TrialData, TrialData]) -> None:
    traced, seen = both
    assert seen.from_wire == {"server", "p1", "p2", "p3"}
    for host in ("p1", "p2", "p3"):
        there, here = traced.traces[host].completed, seen.traces[host].completed
        assert there is not None
        assert here is not None
        assert here == pytest.approx(there, abs=0.05)
        assert here <= there + 0.001, "a piece is verified after its last byte came"
    assert seen.traces["server"].completed is None


@pytest.mark.kernel
@pytest.mark.alone
def test_wire_and_trace_agree_on_pieces_bytes_and_neighbours(both: tuple[TrialData, TrialData]) -> None:
    traced, seen = both
    for host, trace in traced.traces.items():
        wire = seen.traces[host]
        assert sorted(index for _, index in wire.pieces) == sorted(index for _, index in trace.pieces)
        assert set(wire.peer_ids) == set(trace.peer_ids)
        assert wire.received == pytest.approx(trace.received, abs=4 * BLOCK)
        assert wire.sent == pytest.approx(trace.sent, abs=4 * BLOCK)
        assert {each.peer_id for each in trace.connections if each.peer_id} <= {
            each.peer_id for each in wire.connections
        }


@pytest.mark.kernel
@pytest.mark.alone
def test_tables_say_what_they_are_from(both: tuple[TrialData, TrialData]) -> None:
    for data, source in zip(both, ("trace", "wire"), strict=True):
        tables = tables_of(_Plan(data)).tables_of(data)  # type: ignore[arg-type]
        assert set(tables["peers"]["source"]) == {source}
        assert set(tables["transfers"]["source"]) == {source}
        assert tables["peers"]["download_s"].notna().all()
        assert (tables["transfers"]["unchoked_s"] > 0).any()


class _Plan:
    def __init__(self, data: TrialData) -> None:
        self.trials = (data.trial,)


@pytest.mark.kernel
@pytest.mark.alone
def test_host_without_trace_and_capture_has_only_counters(tmp_path: Path) -> None:
    folder = performed(tmp_path, peers=HOMES, more="capture: none\n")
    change_record(folder, lambda entries: [host.update(trace=None) for host in entries["hosts"]] and None)
    data = read(folder)
    assert not data.traces
    assert data.source("p1") == "counters"


def reader() -> WireReader:
    return WireReader({US.address}, 0, 4 * BLOCK, 2 * BLOCK)


def said(kind: str, t: float, *, by_us: bool = False, **fields: object) -> Message:
    ends = (US, THEM) if by_us else (THEM, US)
    return Message(int(t * 1e9), 1, 0, *ends, kind, 0, 5, fields)


def block(t: float, index: int, number: int) -> Message:
    return said("piece", t, index=index, begin=number * BLOCK, length=BLOCK)


def shaken(*messages: Message) -> WireReader:
    taken = reader()
    for each in (said("handshake", 0.1, by_us=True, peer_id="aa"), said("handshake", 0.2, peer_id="bb"), *messages):
        taken.take(each)
    return taken


def test_completion_is_when_the_last_byte_came() -> None:
    blocks = [block(1.0 + k / 10, k // 2, k % 2) for k in range(4)]
    trace = shaken(*blocks, block(9.0, 0, 0)).finish([], 10.0)
    assert trace.completed == pytest.approx(1.3)
    assert trace.pieces == [(pytest.approx(1.1), 0), (pytest.approx(1.3), 1)]
    assert (trace.received, trace.wasted, trace.join_times) == (5 * BLOCK, BLOCK, [0.1])


def test_piece_that_is_asked_for_and_comes_again_counts_from_then() -> None:
    blocks = [block(1.0 + k / 10, k // 2, k % 2) for k in range(4)]
    asked = [said("request", 2.0, by_us=True, index=0, begin=k * BLOCK, length=BLOCK) for k in range(2)]
    trace = shaken(*blocks, *asked, block(2.5, 0, 0), block(3.0, 0, 1)).finish([], 10.0)
    assert trace.completed == pytest.approx(3.0)
    once = shaken(*blocks, *asked, block(2.5, 0, 0)).finish([], 10.0)
    assert once.completed == pytest.approx(1.3), "one block alone is a duplicate"


@pytest.mark.parametrize(
    ("claim", "missing"),
    [
        (said("have none", 0.3, by_us=True), [0, 1]),
        (said("bitfield", 0.3, by_us=True, count=1, bits="80"), [1]),
        (said("bitfield", 0.3, by_us=True, count=1), [1]),
    ],
)
def test_pieces_that_were_there_need_not_come(claim: Message, missing: list[int]) -> None:
    blocks = [block(1.0 + index, index, number) for index in missing for number in range(2)]
    trace = shaken(claim, *blocks).finish([], 10.0)
    assert trace.completed == pytest.approx(1.0 + missing[-1])
    assert trace.initial_pieces[0].have_count == 2 - len(missing)


def test_seed_never_completes() -> None:
    assert shaken(said("have all", 0.3, by_us=True)).finish([], 10.0).completed is None


def test_tracker_is_believed_where_blocks_could_not_be_read() -> None:
    told = said("announce", 4.0, by_us=True, event="completed")
    assert shaken(block(1.0, 0, 0), told).finish([], 10.0).completed == pytest.approx(4.0)


def test_chokes_are_timed_until_the_connection_or_the_trial_ends() -> None:
    messages = [said("unchoke", 1.0), said("choke", 2.0), said("unchoke", 4.0), said("unchoke", 3.0, by_us=True)]
    (connection,) = shaken(*messages).finish([], 10.0).connections
    assert connection.unchoked_by_them.total == pytest.approx(7.0)
    assert connection.unchoked_by_us.total == pytest.approx(7.0)
    assert connection.peer_id == "bb"
