"""`python -m peer`: what it prints, what it records, and how it ends."""

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Final

import pytest

from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.messages import HaveBitfield
from peer.bittorrent.wire.metainfo.magnet import Magnet
from peer.bittorrent.wire.metainfo.metainfo import decode_metainfo
from peer.cli.main import main
from peer.cli.sharing import NO_NODE, NOBODY_TO_ASK, PRIVATE
from peer.net.address import Address
from peer.process.exit_status import ExitStatus
from tests.peer.programs import (
    PIECE,
    SOON,
    ScriptedPeer,
    Share,
    events,
    events_so_far,
    leeching,
    named,
    running,
    seeding,
    wait_until,
)

PIECES: Final = 40


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Share:
    folder = tmp_path_factory.mktemp("shared")
    data, torrent = folder / "data.bin", folder / "data.torrent"
    data.write_bytes(Random(1).randbytes(PIECES * PIECE - 1000))
    assert main(["create", str(data), "--out", str(torrent), "--piece-length", str(PIECE)]) == ExitStatus.OK
    return Share(torrent, data)


def problem(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on standard error."""
    complained = capsys.readouterr().err
    assert complained.count("\n") == 1
    return complained.strip()


# Sharing.


def test_created_torrent_is_seeded_and_leeched(shared: Share, tmp_path: Path) -> None:
    trace = tmp_path / "seed.jsonl"
    with seeding(shared, "--trace", trace) as seed:
        with leeching(
            shared.torrent, "--to", tmp_path, "--peer", seed.address, "--departure", "at-completion"
        ) as leech:
            assert leech.line() == "completed"
            assert leech.process.wait(SOON) == ExitStatus.OK
            assert leech.errors() == ""
        assert seed.end() == ExitStatus.OK
        assert seed.errors() == f"peer: {NOBODY_TO_ASK}\n"
    assert (tmp_path / "data.bin").read_bytes() == shared.data.read_bytes()
    recorded = events(trace)
    assert recorded[-1]["event"] == "left"
    assert recorded[-1]["reason"] == "SIGTERM"
    assert recorded[-1]["sent"] == shared.info.length
    assert recorded[0]["event"] == "trace"
    assert recorded[0]["profile"]["name"] == "course"


def test_magnet_link_is_enough(shared: Share, tmp_path: Path) -> None:
    link = Magnet(shared.info.info_hash).encode()
    with (
        seeding(shared) as seed,
        leeching(link, "--to", tmp_path, "--peer", seed.address) as leech,
    ):
        assert leech.line() == "completed"
        assert leech.end() == ExitStatus.OK
    assert (tmp_path / "data.bin").read_bytes() == shared.data.read_bytes()


def test_restarted_leech_resumes(shared: Share, tmp_path: Path) -> None:
    trace, copy = tmp_path / "trace.jsonl", tmp_path / "data.bin"
    copy.write_bytes(shared.data.read_bytes()[: 10 * PIECE])
    with (
        seeding(shared) as seed,
        leeching(shared.torrent, "--to", tmp_path, "--peer", seed.address, "--trace", trace) as leech,
    ):
        assert leech.line() == "completed"
        leech.end()
    with leeching(shared.torrent, "--to", tmp_path, "--trace", trace) as leech:
        assert leech.line() == "completed"
        leech.end()
    assert [fact["have_count"] for fact in named(events(trace), "opened")] == [10, PIECES]


def test_killed_leech_resumes_with_its_verified_pieces(shared: Share, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    options = ["--to", tmp_path, "--trace", trace, "--level", "pieces"]
    with seeding(shared, "--upload-limit", "2Mbit/s") as seed:
        with leeching(shared.torrent, *options, "--peer", seed.address) as leech:
            wait_until(lambda: len(named(events_so_far(trace), "piece_completed")) >= 2)
            leech.process.kill()
            leech.process.wait(SOON)
            verified = len(named(events_so_far(trace), "piece_completed"))
        with leeching(shared.torrent, *options, "--peer", seed.address) as leech:
            assert leech.line() == "completed"
            assert leech.end() == ExitStatus.OK
    opened = named(events(trace), "opened")
    assert verified <= opened[1]["have_count"] < PIECES
    assert (tmp_path / "data.bin").read_bytes() == shared.data.read_bytes()


@pytest.mark.parametrize("storage", ["memory", "shared"])
def test_leech_without_disk_serves_others(shared: Share, tmp_path: Path, storage: str) -> None:
    places = ["--storage", storage, *(["--original", shared.data] if storage == "shared" else [])]
    with seeding(shared, "--storage", storage) as seed:
        first = leeching(shared.torrent, *places, "--peer", seed.address)
        with first as middle:
            assert middle.line() == "completed"
            seed.end()
            with leeching(shared.torrent, "--to", tmp_path, "--peer", middle.address) as last:
                assert last.line() == "completed"
    assert (tmp_path / "data.bin").read_bytes() == shared.data.read_bytes()


def test_initial_pieces_depend_on_seed(shared: Share) -> None:
    def claims(seed: int) -> list[int]:
        options = ["--storage", "shared", "--original", shared.data, "--have", "25%", "--seed", seed]
        with (
            leeching(shared.torrent, *options) as starter,
            ScriptedPeer(Address("127.0.0.1", starter.port)).shake_hands(shared.info.info_hash) as stranger,
        ):
            return list(Bitfield.from_wire(stranger.receive(HaveBitfield).bits, PIECES))

    first, again, other = claims(7), claims(7), claims(8)
    assert len(first) == len(other) == PIECES // 4
    assert first == again != other


def test_peers_meet_at_tracker_and_announce_stopped(shared: Share, tmp_path: Path) -> None:
    log, torrent = tmp_path / "tracker.jsonl", tmp_path / "tracked.torrent"
    os.mkfifo(log)
    with running("tracker", "--bind", "127.0.0.1", "--port", 0, "--log", log) as tracker, log.open() as lines:

        def said() -> str:
            return str(json.loads(lines.readline())["event"])

        url = f"http://127.0.0.1:{tracker.ready().port}/announce"
        main(["create", str(shared.data), "--out", str(torrent), "--tracker", url])
        with seeding(Share(torrent, shared.data)) as seed:
            assert said() == "started"
            with leeching(torrent, "--to", tmp_path) as leech:
                assert leech.line() == "completed"
                assert [said(), said()] == ["started", "completed"]
                assert leech.end() == ExitStatus.OK
                assert said() == "stopped"
            assert seed.end(signal.SIGINT) == ExitStatus.OK
            assert said() == "stopped"


def test_absent_peer_returns_with_its_pieces(shared: Share, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    absence = ["--departure", "at 50 % for 0.2 s", "--return-bind", "127.0.0.2", "--trace", trace, "--time-scale", 20]
    with (
        seeding(shared, "--upload-limit", "1MB/s") as seed,
        leeching(shared.torrent, "--to", tmp_path, "--peer", seed.address, *absence) as leech,
    ):
        assert leech.line().startswith("ready 127.0.0.2:")
        assert leech.line() == "completed"
        assert leech.end() == ExitStatus.OK
    recorded = events(trace)
    first, second = named(recorded, "joined")
    assert first["peer_id"] != second["peer_id"]
    gone, _ = named(recorded, "left")
    assert PIECES / 2 <= gone["have_count"] < PIECES
    assert named(recorded, "opened")[1]["have_count"] == gone["have_count"]
    assert second["t"] - gone["t"] >= 0.2
    assert (tmp_path / "data.bin").read_bytes() == shared.data.read_bytes()


def test_upload_limit_holds(shared: Share, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    with (
        seeding(shared, "--upload-limit", "8Mbit/s") as seed,
        leeching(shared.torrent, "--to", tmp_path, "--peer", seed.address, "--trace", trace) as leech,
    ):
        assert leech.line() == "completed"
        leech.end()
    recorded = events(trace)
    took = named(recorded, "completed")[0]["t"] - named(recorded, "unchoked")[0]["t"]
    assert shared.info.length / 1e6 * 0.9 < took < shared.info.length / 1e6 * 1.5


def test_who_has_nobody_to_ask_says_so_at_once(shared: Share, tmp_path: Path) -> None:
    with leeching(shared.torrent, "--to", tmp_path) as leech:
        assert leech.end() == 0
        assert leech.errors() == f"peer: {NOBODY_TO_ASK}\n"
    for options in (["--peer", "127.0.0.1:1"], ["--no-tracker"]):
        with leeching(shared.torrent, "--to", tmp_path, *options) as leech:
            assert leech.end() == 0
            assert leech.errors() == ""


def test_a_torrent_without_a_tracker_is_found_by_a_node_of_the_dht(shared: Share, tmp_path: Path) -> None:
    """Which end is told of the other first is a matter of chance."""
    trace = tmp_path / "both.jsonl"
    with (
        seeding(shared, "--dht", "--no-tracker", "--trace", trace) as seed,
        leeching(shared.torrent, "--to", tmp_path, "--dht-node", f"localhost:{seed.port}", "--trace", trace) as leech,
    ):
        assert leech.line() == "completed"
        assert leech.end() == seed.end() == ExitStatus.OK
        assert leech.errors() == seed.errors() == ""
    assert (tmp_path / "data.bin").read_bytes() == shared.data.read_bytes()
    assert {each["url"] for each in named(events(trace), "announced")} == {"dht"}


def test_a_magnet_link_and_a_node_of_the_dht_are_enough(shared: Share, tmp_path: Path) -> None:
    with (
        seeding(shared, "--dht", "--no-tracker") as seed,
        leeching(Magnet(shared.info.info_hash).encode(), "--to", tmp_path, "--dht-node", seed.address) as leech,
    ):
        assert leech.line() == "completed"
        assert leech.end() == seed.end() == ExitStatus.OK
    assert (tmp_path / "data.bin").read_bytes() == shared.data.read_bytes()


def test_a_dht_without_nodes_says_so_at_once(shared: Share, tmp_path: Path) -> None:
    with leeching(shared.torrent, "--to", tmp_path, "--dht") as leech:
        assert leech.end() == 0
        assert leech.errors() == f"peer: {NO_NODE}\n"


def test_a_private_torrent_does_not_use_the_dht(shared: Share, tmp_path: Path) -> None:
    torrent, trace = tmp_path / "private.torrent", tmp_path / "leech.jsonl"
    main(["create", str(shared.data), "--out", str(torrent), "--private", "--tracker", "http://127.0.0.1:1/announce"])
    with leeching(torrent, "--to", tmp_path, "--dht-node", "127.0.0.1:1", "--trace", trace) as leech:
        with socket.socket(type=socket.SOCK_DGRAM) as bound:
            bound.bind(("127.0.0.1", leech.port))
        assert leech.end() == 0
        assert leech.errors() == f"peer: {PRIVATE}\n"
    assert not named(events(trace), "node_joined")


def test_a_created_torrent_names_nodes_of_the_dht_unless_it_is_private(
    shared: Share, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torrent = tmp_path / "nodes.torrent"
    command = ["create", str(shared.data), "--out", str(torrent), "--dht-node", "dht.example:6881"]
    assert main([*command, "--private"]) == ExitStatus.NO_TORRENT_OR_PLAN
    assert "private" in problem(capsys)
    assert main(command) == ExitStatus.OK
    assert decode_metainfo(torrent.read_bytes()).nodes == (Address("dht.example", 6881),)


def test_the_dht_is_for_ipv4(shared: Share, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leech", str(shared.torrent), "--to", str(tmp_path), "--dht", "--bind", "::1"]) == ExitStatus.USAGE
    assert "--bind an IPv4 address" in problem(capsys)


def test_trackers_that_can_never_be_asked_are_left_out_by_name(shared: Share, tmp_path: Path) -> None:
    trackers = ("wss://tracker.example:443", "udp://127.0.0.1:1/announce", "announce")
    trace = tmp_path / "trace.jsonl"
    with leeching(Magnet(shared.info.info_hash, None, trackers).encode(), "--to", tmp_path, "--trace", trace) as leech:
        wait_until(lambda: bool(named(events_so_far(trace), "error")))
        assert leech.end() == 0
        left_out = [line.partition(" is left out")[0] for line in leech.errors().splitlines()]
    assert left_out == ["peer: tracker 'wss://tracker.example:443'", "peer: tracker 'announce'"]
    assert {event["what"].split()[1] for event in named(events(trace), "error")} == {"udp://127.0.0.1:1/announce:"}


# Ending.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_second_signal_ends_at_once(shared: Share, tmp_path: Path, number: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as tracker:
        torrent = tmp_path / "tracked.torrent"
        url = f"http://127.0.0.1:{tracker.getsockname()[1]}/announce"
        main(["create", str(shared.data), "--out", str(torrent), "--tracker", url])
        with seeding(Share(torrent, shared.data)) as seed:
            answer(tracker, b"d8:intervali60e5:peers0:e")
            seed.process.send_signal(number)
            with tracker.accept()[0]:  # "stopped" is left without an answer
                assert seed.end(number) == ExitStatus.CUT_SHORT


def answer(tracker: socket.socket, body: bytes) -> None:
    """Answer one announcement."""
    with tracker.accept()[0] as asking:
        asking.recv(1 << 16)
        asking.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + body)


def test_full_disk_is_an_exit_code(shared: Share, tmp_path: Path) -> None:
    def limit_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (shared.info.length // 2, shared.info.length // 2))

    trace = tmp_path / "trace.jsonl"
    with (
        seeding(shared) as seed,
        running(
            *("leech", shared.torrent, "--to", tmp_path, "--bind", "127.0.0.1", "--port", 0),
            *("--peer", seed.address, "--trace", trace),
            preexec_fn=limit_files,
        ) as leech,
    ):
        assert leech.process.wait(SOON) == ExitStatus.NO_DATA
        complained = leech.errors()
    assert complained.startswith("peer: disk full: ")
    assert complained.count("\n") == 1


def test_broken_strategy_ends_program_with_traceback(shared: Share, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from dataclasses import replace\n"
        "from peer.bittorrent.strategies.api import tit_for_tat\n"
        "class Broken:\n"
        "    def allocate(self, view):\n"
        "        raise ZeroDivisionError\n"
        "def broken(profile, rng):\n"
        "    return replace(tit_for_tat(profile, rng), choker=Broken())\n"
    )
    with running(
        *("seed", shared.torrent, "--data", shared.data, "--bind", "127.0.0.1", "--port", 0),
        *("--strategy", "mine:broken", "--time-scale", 100),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as seed:
        assert seed.process.wait(SOON) == 1
        assert "ZeroDivisionError" in seed.errors()


def test_strategy_may_return_without_pieces(shared: Share, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from dataclasses import replace\n"
        "from peer.bittorrent.strategies.api import tit_for_tat\n"
        "from peer.bittorrent.engine.actions import Leave\n"
        "class OnceMore:\n"
        "    times = 0\n"
        "    def decide(self, view):\n"
        "        if view.completed_at is not None:\n"
        "            self.times += 1\n"
        "            return Leave('again', 0.0, forgets=True) if self.times == 1 else Leave('enough')\n"
        "def twice(profile, rng):\n"
        "    return replace(tit_for_tat(profile, rng), departure=OnceMore())\n"
    )
    trace = tmp_path / "trace.jsonl"
    with (
        seeding(shared) as seed,
        running(
            *("leech", shared.torrent, "--to", tmp_path, "--bind", "127.0.0.1", "--port", 0, "--peer", seed.address),
            *("--strategy", "mine:twice", "--time-scale", 20, "--trace", trace),
            env={**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}"},
        ) as leech,
    ):
        assert leech.process.wait(SOON) == ExitStatus.OK
    recorded = events(trace)
    assert [opened["have_count"] for opened in named(recorded, "opened")] == [0, 0]
    assert [left["have_count"] for left in named(recorded, "left")] == [PIECES, PIECES]


def test_peer_may_have_several_identities(shared: Share, tmp_path: Path) -> None:
    traces = tmp_path / "leech.jsonl", tmp_path / "seed.jsonl"
    with seeding(shared, "--trace", traces[1], "--upload-limit", "1MB/s") as seed:
        several = ["--strategy", "sybil", "--set", "identities=3", "--trace", traces[0]]
        with leeching(shared.torrent, "--to", tmp_path, "--peer", seed.address, *several) as leech:
            assert leech.line() == "completed"
        assert seed.end() == ExitStatus.OK
    (joined,) = named(events(traces[0]), "joined")
    assert len(joined["also"]) == 2
    met = {fact["peer_id"] for fact in named(events(traces[1]), "handshaken")}
    assert met == {joined["peer_id"], *joined["also"]}
    assert (tmp_path / "data.bin").read_bytes() == shared.data.read_bytes()


def test_port_in_use_is_an_exit_code(shared: Share, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = ["seed", shared.torrent, "--data", shared.data, "--bind", "127.0.0.1", "--port", port]
        assert main([str(word) for word in command]) == ExitStatus.NO_ADDRESS
    expected = f"peer: cannot listen on 127.0.0.1:{port}: Address already in use; choose another --bind or --port"
    assert problem(capsys) == expected


def test_wrong_data_is_an_exit_code(shared: Share, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "data.bin"
    wrong.write_bytes(bytes(3 * PIECE) + shared.data.read_bytes()[3 * PIECE :])
    command = ["seed", shared.torrent, "--data", wrong, "--bind", "127.0.0.1", "--port", 0]
    assert main([str(word) for word in command]) == ExitStatus.NO_DATA
    assert problem(capsys).startswith(f"peer: {wrong}: 3 of {PIECES} pieces differ from those of 'data.bin'; name")


def test_missing_data_is_an_exit_code(shared: Share, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["seed", shared.torrent, "--data", tmp_path / "none", "--bind", "127.0.0.1", "--port", 0]
    assert main([str(word) for word in command]) == ExitStatus.NO_DATA
    assert "none: No such file or directory" in problem(capsys)


def test_unwritable_trace_is_an_exit_code(shared: Share, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["seed", shared.torrent, "--data", shared.data, "--trace", tmp_path / "missing" / "trace"]
    assert main([str(word) for word in command]) == ExitStatus.NO_TRACE
    assert "name a file that can be written" in problem(capsys)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "No such file or directory; name a torrent file or a magnet link"),
        (b"GIF89a", "expected"),
    ],
)
def test_unreadable_torrent_is_an_exit_code(
    tmp_path: Path, content: bytes | None, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    torrent = tmp_path / "a.torrent"
    if content is not None:
        torrent.write_bytes(content)
    assert main(["leech", str(torrent), "--to", str(tmp_path)]) == ExitStatus.NO_TORRENT_OR_PLAN
    assert expected in problem(capsys)


def test_bad_magnet_link_is_an_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leech", "magnet:?dn=x", "--to", str(tmp_path)]) == ExitStatus.NO_TORRENT_OR_PLAN
    assert "expected xt=urn:btih:<info-hash>, found none" in problem(capsys)


def test_torrent_is_not_overwritten(shared: Share, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["create", str(shared.data), "--out", str(shared.torrent)]) == ExitStatus.NO_TORRENT_OR_PLAN
    assert "use --force" in problem(capsys)


# Options.


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--port", "65536", "expected a whole number from 0 to 65535, found '65536'"),
        ("--bind", "nowhere", "expected an IPv4 address, found 'nowhere'"),
        ("--peer", "198.18.0.1", "expected host:port or [address]:port, found '198.18.0.1'"),
        ("--upload-limit", "8Mb/s", "expected a rate such as 8Mbit/s or 1MB/s, found '8Mb/s'"),
        ("--upload-limit", "0MB/s", "expected a rate above zero; without the option there is no limit"),
        ("--time-scale", "0", "expected a number above zero, found '0'"),
        ("--set", "slots", "expected name=value, found 'slots'"),
        ("--have", "2", "expected a share from 0 to 1, or from 0% to 100%, found '2'"),
    ],
)
def test_bad_option_is_named(option: str, value: str, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["leech", "a.torrent", option, value])
    assert ended.value.code == ExitStatus.USAGE
    assert f"argument {option}: {expected}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "--storage disk needs --to: add it"),
        (["--storage", "shared"], "--storage shared needs --original: add it"),
        (["--to", "x", "--have", "0.5"], "--have takes pieces from an original: add --storage shared and --original"),
        (["--to", "x", "--strategy", "tit-for-tit"], "did you mean tit-for-tat?"),
        (["--to", "x", "--set", "slots=0"], "slots: expected a whole number, 1 or more, found 0"),
        (["--to", "x", "--departure", "soon"], "soon"),
    ],
)
def test_conflicting_options_are_reported(
    shared: Share, options: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["leech", str(shared.torrent), *options]) == ExitStatus.USAGE
    assert expected in problem(capsys)


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        ([], [*ExitStatus]),
        (["create"], [0, 2, 5]),
        (["seed"], [0, 2, 3, 4, 5, 6, 7]),
        (["leech"], [0, 2, 3, 4, 5, 6, 7]),
        (["tracker"], [0, 2, 3, 4]),
        (["serve"], [0, 2, 3, 4, 6]),
        (["fetch"], [0, 2, 3, 4, 6, 8, 9]),
        (["relay"], [0, 2, 3, 4, 5, 6, 8]),
        (["node"], [0, 2, 3, 4, 7]),
    ],
)
def test_help_lists_exit_codes(command: list[str], codes: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    told = capsys.readouterr().out.partition("exit codes:")[2]
    assert [int(code) for code in re.findall(r"^  (\d+)  ", told, re.MULTILINE)] == codes


def test_command_imports_only_what_it_needs() -> None:
    script = "import sys; from peer.cli.main import main; main(sys.argv[1:])\n"
    probe = "import atexit; atexit.register(lambda: print(*sorted(m for m in sys.modules if m.startswith('peer.'))))\n"
    for command, foreign in (
        ("serve", ("peer.bittorrent.client", "peer.bittorrent.engine", "peer.distribution.fluid")),
        ("relay", ("peer.bittorrent.client", "peer.bittorrent.engine", "peer.distribution.client_server")),
        ("tracker", ("peer.bittorrent.client", "peer.bittorrent.engine", "peer.distribution")),
        ("leech", ("peer.bittorrent.tracker", "peer.distribution")),
        ("node", ("peer.bittorrent", "peer.distribution", "peer.overlays.chord", "peer.overlays.napster")),
    ):
        words = [sys.executable, "-c", "import sys\n" + probe + script, command, "--help"]
        output = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        imported = output.splitlines()[-1].split()
        assert f"peer.cli.{command}" in imported
        assert [module for module in imported if module.startswith(foreign)] == []


def test_documentation_lists_exit_codes() -> None:
    page = (Path(__file__).parents[2] / "docs" / "peer.md").read_text()
    table = page.partition("| exit code | why |\n")[2].partition("\n\n")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == [*ExitStatus]
