"""What docs/trace.md says of traces, held against traces of programs on real sockets, at each level."""

import re
import signal
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from contract.encoding import EVENTS, check_header
from contract.events import Level
from peer.cli.main import main
from tests.peer.distribution.programs import running as running_program
from tests.peer.distribution.programs import serving
from tests.peer.programs import Share, events, leeching, seeding

PIECE: Final = 32 << 10
DOC: Final = (Path(__file__).parents[2] / "docs" / "trace.md").read_text()
LEVELS: Final = {"summary": Level.SUMMARY, "pieces": Level.PIECES, "full": Level.FULL}

Lines = list[dict[str, Any]]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Share:
    folder = tmp_path_factory.mktemp("shared")
    data, torrent = folder / "data.bin", folder / "data.torrent"
    data.write_bytes(Random(1).randbytes(24 * PIECE))
    assert main(["create", str(data), "--out", str(torrent), "--piece-length", str(PIECE)]) == 0
    return Share(torrent, data)


@pytest.fixture(scope="module")
def traces(shared: Share, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Lines, Lines]]:
    """Return the traces of a seed and of a leech, by level."""
    return {level: swarm(shared, level, tmp_path_factory.mktemp(level)) for level in LEVELS}


def swarm(shared: Share, level: str, folder: Path) -> tuple[Lines, Lines]:
    """Transfer the file from a seed to two leeches that know each other."""
    options = ("--level", level, "--profile", "mainline", "--upload-limit", "8 Mbit/s")
    first = ("--to", folder / "one", "--trace", folder / "one.jsonl", *options)
    second = ("--to", folder / "two", *options)
    with (
        seeding(shared, "--trace", folder / "seed.jsonl", *options) as seed,
        leeching(shared.torrent, *first, "--peer", seed.address) as one,
        leeching(shared.torrent, *second, "--peer", seed.address, "--peer", one.address) as two,
    ):
        assert (one.line(), two.line()) == ("completed", "completed")
        assert [program.end() for program in (two, one, seed)] == [0, 0, 0]
    return events(folder / "seed.jsonl"), events(folder / "one.jsonl")


def of_kind(lines: Lines, *kinds: str) -> Lines:
    return [line for line in lines if line["event"] in kinds]


@pytest.fixture(params=LEVELS)
def level(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def both(level: str, traces: dict[str, tuple[Lines, Lines]]) -> tuple[Lines, Lines]:
    return traces[level]


def test_events_are_those_of_the_level(level: str, both: tuple[Lines, Lines]) -> None:
    for lines in both:
        kinds = {line["event"] for line in lines[1:]}
        assert all(EVENTS[kind].level <= LEVELS[level] for kind in kinds)
        assert {"joined", "opened", "connected", "handshaken", "disconnected", "moved", "left"} <= kinds
    kinds = {line["event"] for line in both[1]}
    assert ("piece_completed" in kinds, {"requested", "block"} <= kinds) == (level != "summary", level == "full")


def test_header_has_the_documented_fields_in_their_order(both: tuple[Lines, Lines]) -> None:
    section = DOC.split("## The header\n")[1].split("Programs of client-server")[0]
    for head, *_ in both:
        assert list(check_header(head)) == ["t", "event", *re.findall(r"^\| `(\w+)`", section, re.MULTILINE)]
        assert re.fullmatch(r"\S+ \d+\.\d+\.\d+", head["program"])


def test_moved_lines_add_up_when_a_client_completes(both: tuple[Lines, Lines]) -> None:
    _, leech = both
    (done,) = (number for number, line in enumerate(leech) if line["event"] == "completed")
    rows = [row for line in of_kind(leech[:done], "moved") for row in line["bytes"]]
    assert sum(received for _, received, _ in rows) == leech[done]["received"]
    assert sum(sent for _, _, sent in rows) == leech[done]["sent"]


def test_moved_lines_add_up_when_a_connection_ends(both: tuple[Lines, Lines]) -> None:
    for lines in both:
        totals: Counter[tuple[int, str]] = Counter()
        for line in of_kind(lines, "moved", "disconnected"):
            if line["event"] == "disconnected":
                found = [totals[line["neighbour"], way] for way in ("received", "sent")]
                assert found == [line["received"], line["sent"]]
            for neighbour, received, sent in line.get("bytes", ()):
                totals[neighbour, "received"] += received
                totals[neighbour, "sent"] += sent


def test_lines_are_nearly_in_order(both: tuple[Lines, Lines]) -> None:
    for lines in both:
        assert all(after["t"] - before["t"] > -0.1 for before, after in pairwise(lines))


def test_left_names_the_signal_and_the_totals_of_the_life(both: tuple[Lines, Lines]) -> None:
    for lines in both:
        left = lines[-1]
        assert (left["event"], left["reason"], left["have_count"]) == ("left", "SIGTERM", 24)
        rows = [row for line in of_kind(lines, "moved") for row in line["bytes"]]
        assert sum(received for _, received, _ in rows) == left["received"]
        assert sum(sent for _, _, sent in rows) == left["sent"]


def test_blocks_and_requests_are_as_described(traces: dict[str, tuple[Lines, Lines]]) -> None:
    ends = set(re.findall(r"`(\w+)`", DOC.split("| `how` | text | ")[1].split("|")[0]))
    for lines in traces["full"]:
        blocks = of_kind(lines, "block")
        assert all(block["is_needed"] for block in blocks if block["by_us"])
        assert {line["how"] for line in of_kind(lines, "request_ended")} <= ends
        received = sum(block["length"] for block in blocks if not block["by_us"])
        assert (lines[-1]["received"], lines[-1]["sent"]) == (
            received,
            sum(block["length"] for block in blocks if block["by_us"]),
        )
        assert blocks_without_request(lines) == []


def blocks_without_request(lines: Lines) -> Lines:
    """Return the blocks that nobody had requested on their connection."""
    asked = set()
    found = []
    for line in of_kind(lines, "requested", "block"):
        is_ours = line["by_us"] if line["event"] == "requested" else not line["by_us"]
        request = (is_ours, line["neighbour"], line["index"], line["begin"])
        if line["event"] == "requested":
            asked.add(request)
        elif request not in asked:
            found.append(line)
    return found


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lines, Lines]:
    """Return the traces of an HTTP server and its client."""
    folder = tmp_path_factory.mktemp("fetched")
    (folder / "data.bin").write_bytes(Random(1).randbytes(1 << 20))
    with serving(folder / "data.bin", "--trace", folder / "server.jsonl") as (server, port):
        url, known = f"http://127.0.0.1:{port}/data.bin", ("--original", folder / "data.bin")
        with running_program("fetch", url, "--discard", *known, "--trace", folder / "client.jsonl") as client:
            assert client.end() == (0, "")
        server.process.send_signal(signal.SIGTERM)
        assert server.end()[0] == 0
    return events(folder / "server.jsonl"), events(folder / "client.jsonl")


def test_programs_without_strategy_have_their_own_header_and_events(fetched: tuple[Lines, Lines]) -> None:
    _, section = DOC.split("Programs of client-server and of the fluid scheme")
    described = section.split("## Other clients")[0]
    header = re.findall(r"^\| `(\w+)`", described, re.MULTILINE)
    written = set(re.findall(r"`(\w+)`", described.split("They write ")[1].split("no other events")[0]))
    assert written <= EVENTS.keys()
    for head, *lines in fetched:
        assert list(head) == ["t", "event", *header]
        assert head["distribution"] == "client-server"
        assert {line["event"] for line in lines} <= written


def test_client_without_port_does_not_open_the_file(fetched: tuple[Lines, Lines]) -> None:
    server, client = fetched
    assert [(line["peer_id"], line["info_hash"]) for line in of_kind([*server, *client], "joined")] == [
        ("server", ""),
        ("client", ""),
    ]
    assert of_kind(client, "joined")[0]["port"] == 0
    assert (len(of_kind(server, "opened")), len(of_kind(client, "opened"))) == (1, 0)
    assert [line["have_count"] for line in of_kind(client, "left")] == [1]
    assert [line["event"] for line in client[-2:]] == ["moved", "left"]
    assert client[-1]["reason"] == "done"
