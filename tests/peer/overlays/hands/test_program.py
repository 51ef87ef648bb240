"""A node as a program: what it prints and records, its lives, and how it ends."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from contract.encoding import check_header, decode
from contract.overlay_events import NodeState, SearchEnded, Spent
from peer.cli.main import main
from peer.net.address import Address
from peer.process.exit_status import ExitStatus
from tests.peer.overlays.running import SEARCH, free_address, node, searching
from tests.peer.overlays.toys import BOTH, SONG
from tests.peer.programs import SOON, Program, events, events_so_far, named, wait_until

SHARED = [{"name": SONG.name, "size": SONG.size}]


@pytest.fixture(params=BOTH.values(), ids=BOTH)
def overlay(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextmanager
def sharing(folder: Path, overlay: str, *options: object, **described: Any) -> Iterator[tuple[Program, str]]:
    """Run a node that has an item, and give its address too."""
    address = free_address()
    with node(folder, overlay, *options, address=address, items=SHARED, **described) as program:
        assert program.line() == f"ready {address}"
        assert program.line() == "completed"
        yield program, address


def test_one_node_finds_what_the_other_has(overlay: str, tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine.jsonl", tmp_path / "theirs.jsonl"
    with (
        sharing(tmp_path, overlay, "--trace", theirs) as (other, address),
        node(tmp_path, overlay, "--trace", mine, known=[address], searches=[searching(0.2)]) as one,
    ):
        assert one.line().startswith("ready ")
        assert one.line() == "completed"
        (ended,) = named(events(mine), "search_ended")
        assert (ended["search"], ended["outcome"], ended["answers"]) == (SEARCH, "found", 1)
        assert named(events(mine), "answer_came")[0]["holder"] == address
        assert named(events(mine), "spent")[-1]["sent"][-1][:2] == [SEARCH, 1]
        assert (one.end(), other.end()) == (0, 0)
        assert (one.errors(), other.errors()) == ("", "")
    assert sum(row[1] for line in named(events(theirs), "spent") for row in line["sent"] if row[0] == SEARCH) == 1
    assert events(mine)[-1]["event"] in {"node_left", "spent"}
    assert named(events(mine), "node_state")[-1]["neighbours"] == [address]
    assert named(events(mine), "node_left")[0]["by_word"] is True


def test_searches_are_told_as_they_end_if_that_is_asked_for(overlay: str, tmp_path: Path) -> None:
    searches = [searching(0.1), searching(0.2, name="cd" * 16)]
    with node(tmp_path, overlay, "--tell-searches", searches=searches) as one:
        assert [one.line()[:9] for _ in range(4)] == ["ready 127", "searched", "searched", "completed"]
        assert one.end() == 0


def test_what_one_sends_the_other_receives(overlay: str, tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine.jsonl", tmp_path / "theirs.jsonl"
    with (
        sharing(tmp_path, overlay, "--trace", theirs) as (other, address),
        node(tmp_path, overlay, "--trace", mine, known=[address], searches=[searching(0.2)]) as one,
    ):
        assert (one.line()[:6], one.line()) == ("ready ", "completed")
        one.end()
        # The last word of the first node is on its way when that has ended.
        wait_until(lambda: totals(theirs)[2:] == totals(mine)[:2])
        other.end()
    assert totals(mine)[2:] == totals(theirs)[:2]


def totals(trace: Path) -> tuple[int, int, int, int]:
    """Return messages and bytes sent, and messages and bytes received."""
    lines = named(events_so_far(trace), "spent")
    rows = [row for line in lines for row in line["sent"]]
    sent = sum(row[1] for row in rows), sum(row[2] for row in rows)
    return *sent, sum(line["messages_received"] for line in lines), sum(line["bytes_received"] for line in lines)


def test_trace_is_written_as_documented(overlay: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    with node(tmp_path, overlay, "--trace", trace, parameters={"patience": 0.1}, searches=[searching()]) as one:
        assert (one.line()[:6], one.line()) == ("ready ", "completed")
        assert one.end() == 0
    page = (Path(__file__).parents[4] / "docs" / "trace.md").read_text()
    table = page.split("## Nodes of overlays\n")[1].split("\n\n")[1]
    documented = [row.split("`")[1] for row in table.splitlines() if row.startswith("| `")]
    assert list(check_header(events(trace)[0])) == ["t", "event", *documented]
    assert (events(trace)[0]["overlay"], events(trace)[0]["parameters"]) == (overlay, {"patience": 0.1})
    decoded = [decode(line)[1] for line in trace.read_bytes().splitlines()[1:]]
    assert [event.outcome for event in decoded if isinstance(event, SearchEnded)] == ["not_found"]
    assert any(isinstance(event, NodeState) for event in decoded)


def test_it_starts_at_the_signal(overlay: str, tmp_path: Path) -> None:
    trace, address = tmp_path / "trace.jsonl", free_address()
    with node(tmp_path, overlay, "--wait", "--trace", trace, address=address) as one:
        assert one.line() == f"waiting {address}"
        assert named(events(trace), "node_joined") == []
        one.process.send_signal(signal.SIGUSR1)
        assert one.line() == f"ready {address}"
        assert one.end() == 0
    assert len(named(events(trace), "node_joined")) == 1


def test_each_life_is_a_new_node_perhaps_elsewhere(overlay: str, tmp_path: Path) -> None:
    trace, first, second = tmp_path / "trace.jsonl", free_address(), free_address("127.0.0.2")
    sessions = [{"join": 0, "leave": 0.2, "by_word": False}, {"join": 0.4, "leave": 0.6, "address": second}]
    with node(tmp_path, overlay, "--trace", trace, address=first, sessions=sessions) as one:
        assert one.line() == f"ready {first}"
        wait_until(lambda: len(named(events_so_far(trace), "node_left")) == 2)
        assert one.process.poll() is None
        assert one.end() == 0
    lines = events(trace)
    assert [line["event"] for line in lines if line["event"] in {"trace", "node_joined"}] == [
        "trace",
        "node_joined",
    ] * 2
    assert [line["address"] for line in named(lines, "node_joined")] == [first, second]
    assert len({line["node"] for line in named(lines, "node_joined")}) == 2
    assert [line["by_word"] for line in named(lines, "node_left")] == [False, True]
    begun, joined = lines[0]["t"], [line["t"] for line in named(lines, "node_joined")]
    assert joined[1] - begun == pytest.approx(0.4, abs=0.1) or joined[1] - begun > 0.4


def test_between_lives_nobody_is_there(overlay: str, tmp_path: Path) -> None:
    trace, address = tmp_path / "trace.jsonl", free_address()
    sessions = [{"leave": 0.1}, {"join": 1000}]
    with node(tmp_path, overlay, "--trace", trace, address=address, sessions=sessions) as away:
        assert away.line() == f"ready {address}"
        wait_until(lambda: len(named(events_so_far(trace), "node_left")) == 1)
        with node(tmp_path, overlay, address=address) as another:
            assert another.line() == f"ready {address}"
            assert another.end() == 0
        assert away.end() == 0


def test_searches_that_a_leaving_node_has_begun_end(overlay: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    with node(tmp_path, overlay, "--trace", trace, searches=[searching(), searching(900, name="0" * 32)]) as one:
        assert one.line().startswith("ready ")
        wait_until(lambda: named(events_so_far(trace), "search_began") != [])
        assert one.end() == 0
    assert [line["outcome"] for line in named(events(trace), "search_ended")] == ["left"]


def test_trace_of_a_killed_node_is_read(overlay: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    with (
        sharing(tmp_path, overlay) as (_, address),
        node(tmp_path, overlay, "--trace", trace, known=[address]) as one,
    ):
        assert one.line().startswith("ready ")
        wait_until(lambda: named(events_so_far(trace), "spent") != [])
        one.process.kill()
        assert one.process.wait(SOON) == -signal.SIGKILL
    lines = trace.read_bytes().splitlines(keepends=True)[1:]
    assert all(line.endswith(b"\n") for line in lines)
    assert any(isinstance(decode(line)[1], Spent) for line in lines)


@pytest.mark.parametrize("fetch", [True, False])
def test_what_it_would_fetch_is_told_if_wanted(fetch: bool, overlay: str, tmp_path: Path) -> None:
    with (
        sharing(tmp_path, overlay) as (_, address),
        node(tmp_path, overlay, known=[address], searches=[searching(0.2)], fetch=fetch) as one,
    ):
        assert one.line().startswith("ready ")
        assert one.line() == (f'fetch {address} "{SONG.name}"' if fetch else "completed")


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        *((kind, what) for kind in BOTH for what in ("start", "search", "tick", "received")),
        ("gossip", "refused"),
        *(("line", what) for what in ("accepted", "connected", "dial_failed", "disconnected")),
    ],
)
def test_node_that_raises_ends_the_program_with_a_traceback(kind: str, what: str, tmp_path: Path) -> None:
    parameters = {"raises": what, "patience": 0.1}
    with socket.create_server(("127.0.0.1", 0)) as neighbour:
        known = ["127.0.0.1:" + str(neighbour.getsockname()[1]), free_address()]
        wrong = {"parameters": parameters, "known": known, "searches": [searching(0.1)]}
        with node(tmp_path, BOTH[kind], **wrong) as one:
            if what != "start":
                provoke(kind, Address("127.0.0.1", one.ready().port))
            assert one.process.wait(SOON) == 1
            assert f"ZeroDivisionError: a bug in {what}" in one.errors()


def provoke(kind: str, address: Address) -> None:
    """Send what a node can take, and what it cannot, if it is still there, and end."""
    with suppress(ConnectionError):
        if kind == "line":
            with socket.create_connection(address, timeout=SOON) as stream:
                stream.sendall(b"{}\n")
        else:
            with socket.socket(type=socket.SOCK_DGRAM) as datagram:
                datagram.sendto(b"{}", address)
                datagram.sendto(b"{", address)


def test_bug_while_it_leaves_is_a_bug_too(overlay: str, tmp_path: Path) -> None:
    with node(tmp_path, overlay, parameters={"raises": "leave"}) as one:
        one.ready()
        assert one.end() == 1
        assert "a bug in leave" in one.errors()


def test_second_signal_cuts_the_departure_short(tmp_path: Path) -> None:
    """A neighbour that does not close its end delays the departure by two seconds."""
    with node(tmp_path, BOTH["line"]) as one:
        address = Address("127.0.0.1", one.ready().port)
        with socket.create_connection(address, timeout=SOON) as neighbour:
            neighbour.sendall(b"{}\n")
            one.process.send_signal(signal.SIGTERM)
            assert b"bye" in neighbour.recv(1_000)
            one.process.send_signal(signal.SIGTERM)
            assert one.process.wait(SOON) == ExitStatus.CUT_SHORT


def test_address_that_is_taken_is_an_explained_error(overlay: str, tmp_path: Path) -> None:
    with sharing(tmp_path, overlay) as (_, address):
        with node(tmp_path, overlay, address=address) as one:
            assert one.process.wait(SOON) == ExitStatus.NO_ADDRESS
            assert "choose another one in the description" in one.errors()
        sessions = [{"leave": 1}, {"join": 2, "address": address}]
        with node(tmp_path, overlay, sessions=sessions) as later:
            assert later.process.wait(SOON) == ExitStatus.NO_ADDRESS


def test_address_for_which_messages_have_no_place_is_an_explained_error(tmp_path: Path) -> None:
    with node(tmp_path, "chord", address=free_address("::1")) as one:
        assert one.process.wait(SOON) == ExitStatus.USAGE
        assert one.errors() == "node: chord has no such node: expected an IPv4 address, found '::1'\n"


def test_trace_that_cannot_be_written_is_an_explained_error(tmp_path: Path) -> None:
    with node(tmp_path, BOTH["line"], "--trace", tmp_path / "missing" / "trace") as one:
        assert one.process.wait(SOON) == ExitStatus.NO_TRACE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"\xff", "it is not UTF-8"),
        (b"{", "it is not JSON"),
        (b'{"overlay": "pigeons", "address": "127.0.0.1:1"}', "there is no overlay pigeons; expected"),
        (b'{"overlay": "no.such:THING", "address": "127.0.0.1:1"}', "module no.such cannot be imported"),
        (b'{"overlay": "json:loads", "address": "127.0.0.1:1"}', "module json has no DatagramOverlay"),
        (
            b'{"overlay": "tests.peer.overlays.toys:LINE", "address": "127.0.0.1:1", "parameters": {"patients": 1}}',
            "parameters.patients: unknown key; did you mean patience?",
        ),
    ],
)
def test_wrong_description_is_an_explained_error(
    text: bytes | None, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "node.json"
    if text is not None:
        file.write_bytes(text)
    assert main(["node", str(file)]) == ExitStatus.USAGE
    complained = capsys.readouterr().err
    assert complained.startswith(f"node: {file}: {expected}")
    assert complained.count("\n") == 1
