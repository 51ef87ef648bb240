"""The fluid scheme as processes: all peers get the file, also after a loss, and foreign connections are refused."""

import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha1
from pathlib import Path

import pytest

from peer.cli.main import main
from peer.distribution.fluid.connections import Hello, decode_hello
from peer.distribution.fluid.plan import (
    SERVER,
    Deal,
    Plan,
    encode_plan,
    parse_plan,
)
from peer.net.address import Address
from peer.process.exit_status import ExitStatus
from tests.peer.distribution.programs import (
    SOON,
    Program,
    await_event,
    events_in,
    random_file,
    running,
)

LENGTH = 700_001
FAST = 100e6


def status_of(arguments: list[str]) -> int:
    """Run a command that argparse may end."""
    try:
        return main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    random_file(tmp_path / "file.bin", LENGTH)
    return tmp_path / "file.bin"


def addresses(count: int) -> list[Address]:
    """Return free addresses, which differ since all are taken before the first is released."""
    with ExitStack() as taken:
        sockets = [taken.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [Address(*each.getsockname()) for each in sockets]


def make_plan(tmp_path: Path, relayed: list[float], direct: float) -> Plan:
    server, *peers = addresses(len(relayed) + 1)
    plan = Plan(LENGTH, server, tuple(peers), tuple(relayed), direct, block=10_000)
    (tmp_path / "plan.json").write_text(encode_plan(plan))
    return parse_plan(encode_plan(plan))


@contextmanager
def relay(tmp_path: Path, who: int, *options: str | Path) -> Iterator[Program]:
    """Run one program, with the original unless the options say otherwise."""
    name = "server" if who == SERVER else str(who)
    place = [] if {"--to", "--original"} & {*options} else ["--original", tmp_path / "file.bin"]
    trace = tmp_path / f"{name}.jsonl"
    with running("relay", tmp_path / "plan.json", "--as", name, "--trace", trace, *place, *options) as program:
        program.expect(r"ready 127\.0\.0\.1:\d+")
        yield program


@pytest.mark.parametrize(
    ("relayed", "direct"), [([FAST], 0), ([FAST, FAST], 0), ([FAST, 0, FAST / 3], FAST), ([0, 0], FAST)]
)
def test_each_peer_gets_each_block_once_and_ends(
    file: Path, tmp_path: Path, relayed: list[float], direct: float
) -> None:
    plan = make_plan(tmp_path, relayed, direct)
    with ExitStack() as stack:
        programs = [stack.enter_context(relay(tmp_path, who)) for who in range(len(relayed) + 1)]
        assert [program.end() for program in programs] == [(ExitStatus.OK, "")] * len(programs)
    deal = Deal(plan)
    for who in range(1, len(relayed) + 1):
        completed = events_in(tmp_path / f"{who}.jsonl", "completed")[0]
        left = events_in(tmp_path / f"{who}.jsonl", "left")[0]
        assert (completed["received"], completed["wasted"]) == (LENGTH, 0)
        assert (left["reason"], left["have_count"]) == ("done", 71)
        assert left["sent"] >= (len(relayed) - 1) * (len(deal.stream(who)) - 1) * plan.block


def test_peers_relay_from_copies(file: Path, tmp_path: Path) -> None:
    make_plan(tmp_path, [FAST, FAST], FAST)
    sha = sha1(file.read_bytes(), usedforsecurity=False).hexdigest()
    with relay(tmp_path, SERVER) as server, ExitStack() as stack:
        copies = [tmp_path / f"copy{who}" for who in (1, 2)]
        peers = [
            stack.enter_context(relay(tmp_path, who, "--to", copy, "--sha1", sha)) for who, copy in enumerate(copies, 1)
        ]
        assert [program.end() for program in (server, *peers)] == [(ExitStatus.OK, "")] * 3
    assert [copy.read_bytes() == file.read_bytes() for copy in copies] == [True, True]


def test_server_keeps_planned_rate(file: Path, tmp_path: Path) -> None:
    make_plan(tmp_path, [LENGTH / 0.7], 0)
    with relay(tmp_path, SERVER), relay(tmp_path, 1) as peer:
        assert peer.end() == (ExitStatus.OK, "")
    connected, completed = events_in(tmp_path / "1.jsonl", "connected", "completed")
    assert completed["t"] - connected["t"] > 0.65


def test_restarted_peer_rejoins_and_all_finish(file: Path, tmp_path: Path) -> None:
    make_plan(tmp_path, [LENGTH / 4] * 2, 0)
    with relay(tmp_path, SERVER) as server, relay(tmp_path, 1) as other:
        with relay(tmp_path, 2) as killed:
            await_event(tmp_path / "2.jsonl", "moved")
            killed.process.kill()
            killed.end()
        with relay(tmp_path, 2) as back:
            assert [program.end() for program in (server, other, back)] == [(ExitStatus.OK, "")] * 3
    assert events_in(tmp_path / "1.jsonl", "completed")[0]["wasted"] < 10_000
    assert len(events_in(tmp_path / "2.jsonl", "joined")) == 2
    assert events_in(tmp_path / "1.jsonl", "error")[0]["what"].startswith("lost 127.0.0.1:")


def test_wrong_original_is_reported(file: Path, tmp_path: Path) -> None:
    make_plan(tmp_path, [FAST], 0)
    random_file(tmp_path / "other.bin", LENGTH)
    with relay(tmp_path, SERVER) as server:
        with relay(tmp_path, 1, "--original", tmp_path / "other.bin") as peer:
            status, complaint = peer.end()
        server.process.send_signal(signal.SIGTERM)
        assert server.end() == (ExitStatus.OK, "")
    assert status == ExitStatus.WRONG_DATA
    assert "differs from" in complaint
    assert events_in(tmp_path / "server.jsonl", "left")[0]["reason"] == "SIGTERM"


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (b"GET / HTTP/1.1\r\nHost: h\r\n" + bytes(11), "expected a program of the fluid scheme"),
        (Hello(bytes(20), 1, 0).encode(), "it has another plan"),
        ("who", "it is not peer 7"),
        ("have", "it already has 71 of 71 blocks"),
        (b"", "closed by the other end"),
    ],
)
def test_foreign_connection_is_refused(file: Path, tmp_path: Path, said: bytes | str, problem: str) -> None:
    plan = make_plan(tmp_path, [FAST], 0)
    hellos = {"who": Hello(plan.digest, 7, 0).encode(), "have": Hello(plan.digest, 1, 71).encode()}
    with relay(tmp_path, SERVER) as server:
        with socket.create_connection(plan.server, SOON) as stranger:
            stranger.sendall(hellos[said] if isinstance(said, str) else said)
            stranger.shutdown(socket.SHUT_WR)
            assert stranger.recv(1) == b""
        with relay(tmp_path, 1) as peer:
            assert [peer.end(), server.end()] == [(ExitStatus.OK, "")] * 2
    assert problem in events_in(tmp_path / "server.jsonl", "error")[0]["what"]


def test_hello_round_trips() -> None:
    hello = Hello(b"p" * 20, 3, 1 << 20)
    assert decode_hello(hello.encode()) == hello


@pytest.mark.parametrize(
    ("plan", "who", "problem"),
    [("[]", 1, "expected an object"), ("good", 5, "has 1 peer; there is no peer 5")],
)
def test_unusable_plan_is_an_exit_code(
    tmp_path: Path, plan: str, who: int, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_plan(tmp_path, [FAST], 0)
    path = tmp_path / "plan.json"
    if plan != "good":
        path.write_text(plan)
    assert main(["relay", str(path), "--as", str(who), "--original", "file"]) == ExitStatus.NO_TORRENT_OR_PLAN
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1
    assert problem in complaint


def test_missing_plan_is_an_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["relay", str(tmp_path / "plan"), "--as", "1", "--original", "file"]) == ExitStatus.NO_TORRENT_OR_PLAN
    assert capsys.readouterr().err == f"relay: cannot read the plan {tmp_path / 'plan'}: No such file or directory\n"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--as", "0", "--original", "f"], "expected `server` or a number of 1 or more, found '0'"),
        (["--as", "1"], "one of the arguments --original --to is required"),
        (["--as", "1", "--to", "f"], "--to is for peers only, and needs --sha1"),
        (["--as", "server", "--to", "f", "--sha1", "0" * 40], "--to is for peers"),
    ],
)
def test_bad_option_is_named(options: list[str], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["relay", "plan.json", *options]) == ExitStatus.USAGE
    assert problem in capsys.readouterr().err
