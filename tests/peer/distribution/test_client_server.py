"""The HTTP server and its client as processes: fetching, failures, and exit codes."""

import http.client
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha1
from pathlib import Path
from threading import Thread

import pytest

from peer.cli.main import main
from peer.distribution.client_server.ranges import Entity, answer
from peer.net.http import parse_request, take_head
from peer.process.exit_status import ExitStatus
from tests.peer.distribution.programs import (
    SOON,
    events_in,
    random_file,
    running,
    serving,
)

LENGTH = 3_000_001


@pytest.fixture
def file(tmp_path: Path) -> Path:
    random_file(tmp_path / "file.bin", LENGTH)
    return tmp_path / "file.bin"


def sha_of(file: Path) -> str:
    return sha1(file.read_bytes(), usedforsecurity=False).hexdigest()


# Together.


def test_client_fetches_checks_and_keeps_file(file: Path, tmp_path: Path) -> None:
    copy, ours, theirs = tmp_path / "copy", tmp_path / "client.jsonl", tmp_path / "server.jsonl"
    with serving(file, "--trace", theirs) as (server, port):
        options = ["--to", copy, "--sha1", sha_of(file), "--size", str(LENGTH), "--trace", ours]
        with running("fetch", f"http://localhost:{port}/file.bin", *options) as client:
            client.expect(r"ready 0\.0\.0\.0:\d+")
            client.expect("completed")
            assert client.end() == (ExitStatus.OK, "")
        server.process.send_signal(signal.SIGTERM)
        assert server.end() == (ExitStatus.OK, "")
    assert copy.read_bytes() == file.read_bytes()
    told = ["trace", "joined", "connected", "disconnected", "completed", "moved", "left"]
    assert [event["event"] for event in events_in(ours)] == told
    assert events_in(ours, "moved")[0]["bytes"] == [[1, LENGTH, 0]]
    assert events_in(theirs, "disconnected")[0]["sent"] == LENGTH
    assert events_in(theirs, "left")[0]["reason"] == "SIGTERM"
    assert sum(sent for event in events_in(theirs, "moved") for _, _, sent in event["bytes"]) == LENGTH


@pytest.mark.parametrize("check", ["--original", "--sha1"])
def test_wrong_file_is_reported(file: Path, tmp_path: Path, check: str) -> None:
    other = tmp_path / "other"
    random_file(other, LENGTH)
    trace = tmp_path / "trace"
    with serving(file) as (_, port):
        expected = other if check == "--original" else sha_of(other)
        options = ["--discard", check, expected, "--trace", trace]
        with running("fetch", f"http://127.0.0.1:{port}/file.bin", *options) as client:
            status, complaint = client.end()
    assert status == ExitStatus.WRONG_DATA
    assert complaint.startswith("client: what arrived")
    assert not events_in(trace, "completed")
    assert events_in(trace, "error")[-1]["what"] in complaint
    assert events_in(trace, "left")[0]["reason"] == "failed"


def test_missing_file_is_not_requested_again(file: Path) -> None:
    with serving(file) as (_, port):
        url = f"http://127.0.0.1:{port}/other"
        with running("fetch", url, "--discard", "--original", file) as client:
            status, complaint = client.end()
    assert (status, complaint) == (ExitStatus.GAVE_UP, f"client: {url}: the server answers 404; expected 200 or 206\n")


def test_unexpected_length_is_refused(file: Path) -> None:
    with serving(file) as (_, port):
        options = ["--discard", "--sha1", sha_of(file), "--size", "5"]
        with running("fetch", f"http://127.0.0.1:{port}/", *options) as client:
            status, complaint = client.end()
    assert status == ExitStatus.WRONG_DATA
    assert f"expected 5 bytes, the server has {LENGTH}" in complaint


# A client and an unreliable server.


@contextmanager
def unreliable_server(file: Path, *, version: Callable[[int], str], cut_after: int) -> Iterator[tuple[int, list[str]]]:
    """Answer like our server, but end each connection after some bytes; gives the port and the requests."""
    data, asked = file.read_bytes(), list[str]()

    def serve() -> None:
        sent_all = False
        while not sent_all:
            connected, _ = listening.accept()
            with connected:
                head = take_head(bytearray(connected.recv(8192)))
                assert head is not None
                asked.append(head)
                told = answer(parse_request(head), Entity("/", len(data), version(len(asked))))
                connected.sendall(told.head + data[told.body.start : told.body.stop][:cut_after])
                sent_all = len(told.body) <= cut_after

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1], asked
        thread.join(SOON)


def test_lost_connection_is_resumed(file: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with unreliable_server(file, version=lambda _: "v", cut_after=1_400_000) as (port, asked):
        url = f"http://127.0.0.1:{port}/"
        assert main(["fetch", url, "--discard", "--sha1", sha_of(file), "--trace", str(trace)]) == ExitStatus.OK
    ranges = [line for head in asked for line in head.split("\r\n") if line.startswith("Range")]
    assert ranges == ["Range: bytes=1400000-", "Range: bytes=2800000-"]
    assert [event["what"] for event in events_in(trace, "error")] == ["closed by the other end"] * 2
    assert [event["received"] for event in events_in(trace, "disconnected")] == [1_400_000, 1_400_000, 200_001]
    assert events_in(trace, "completed")[0]["wasted"] == 0


def test_changed_file_is_fetched_anew(file: Path, tmp_path: Path) -> None:
    trace, copy = tmp_path / "trace", tmp_path / "copy"
    versions = {1: "old"}
    with unreliable_server(file, version=lambda count: versions.get(count, "new"), cut_after=2_000_000) as (port, _):
        options = ["--to", str(copy), "--sha1", sha_of(file), "--trace", str(trace)]
        assert main(["fetch", f"http://127.0.0.1:{port}/", *options]) == ExitStatus.OK
    assert copy.read_bytes() == file.read_bytes()
    assert events_in(trace, "completed")[0]["wasted"] == 2_000_000


def test_absent_server_is_given_up(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        status = main(["fetch", url, "--discard", "--original", str(file), "--patience", "0"])
    assert status == ExitStatus.GAVE_UP
    assert capsys.readouterr().err == f"client: {url}: Connection refused; nothing came for 0 s\n"


def test_signalled_client_leaves_in_order(file: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        options = ["--discard", "--original", file, "--trace", tmp_path / "trace"]
        with running("fetch", url, *options) as client, silent.accept()[0]:
            client.process.send_signal(signal.SIGTERM)
            assert client.end() == (ExitStatus.OK, "")
    assert events_in(tmp_path / "trace", "left")[0]["reason"] == "SIGTERM"
    assert not events_in(tmp_path / "trace", "completed")


def test_full_disk_is_an_exit_code(file: Path, tmp_path: Path) -> None:
    with serving(file) as (_, port):
        url, limit = f"http://127.0.0.1:{port}/", 1 << 20
        with running("fetch", url, "--to", tmp_path / "copy", "--sha1", sha_of(file)) as client:
            resource.prlimit(client.process.pid, resource.RLIMIT_FSIZE, (limit, limit))
            status, complaint = client.end()
    assert status == ExitStatus.NO_DATA
    assert complaint.startswith(f"client: disk full: cannot write {tmp_path / 'copy'}")


# A server and hostile clients.


@contextmanager
def connection(port: int) -> Iterator[http.client.HTTPConnection]:
    made = http.client.HTTPConnection("127.0.0.1", port, timeout=SOON)
    try:
        yield made
    finally:
        made.close()


def test_connection_persists_for_many_requests(file: Path) -> None:
    data = file.read_bytes()
    with serving(file) as (_, port), connection(port) as made:
        for begin, end in ((0, 9), (1_000_000, LENGTH - 1), (5, 5)):
            made.request("GET", "/file.bin", headers={"Range": f"bytes={begin}-{end}"})
            first_socket = made.sock
            assert made.getresponse().read() == data[begin : end + 1]
        made.request("HEAD", "/")
        response = made.getresponse()
        assert (response.status, response.read(), response.headers["Content-Length"]) == (200, b"", str(LENGTH))
        assert made.sock is first_socket is not None


def test_pipelined_requests_are_answered_in_order(file: Path) -> None:
    asked = b"GET / HTTP/1.1\r\nRange: bytes=%d-%d\r\n\r\n"
    with serving(file) as (_, port), socket.create_connection(("127.0.0.1", port), SOON) as client:
        client.sendall(asked % (0, 3) + asked % (4, 7) + b"GET / HTTP/1.0\r\nRange: bytes=8-9\r\n\r\n")
        with client.makefile("rb") as answers:
            bodies = [part[-4:] for part in answers.read().split(b"HTTP/1.1 206")[1:]]
    data = file.read_bytes()
    assert [bodies[0], bodies[1], bodies[2][-2:]] == [data[:4], data[4:8], data[8:10]]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET /" + b"a" * 9000, 431),
        (b"GET / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + bytes(1_000_000), 400),
        (b"PUT / HTTP/1.1\r\n\r\n", 405),
        (b"GET /../etc/passwd HTTP/1.1\r\n\r\n", 404),
    ],
)
def test_bad_request_is_answered_before_close(file: Path, said: bytes, status: int) -> None:
    with serving(file) as (_, port), socket.create_connection(("127.0.0.1", port), SOON) as client:
        client.sendall(said)
        client.shutdown(socket.SHUT_WR)
        with client.makefile("rb") as told:
            assert told.read().startswith(f"HTTP/1.1 {status} ".encode())
        with connection(port) as next_one:
            next_one.request("HEAD", "/")
            assert next_one.getresponse().status == 200


def test_clients_that_read_nothing_cost_no_memory(file: Path) -> None:
    with serving(file) as (server, port):
        status = Path(f"/proc/{server.process.pid}/status")
        clients = [socket.create_connection(("127.0.0.1", port), SOON) for _ in range(100)]
        for client in clients:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
        with connection(port) as last:
            last.request("GET", "/")
            assert len(last.getresponse().read()) == LENGTH
        resident = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        for client in clients:
            client.close()
    assert int(resident.split()[1]) < 60_000


# How they end.


def test_port_in_use_is_an_exit_code(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", str(file), "--bind", "127.0.0.1", "--port", str(port)]) == ExitStatus.NO_ADDRESS
    assert capsys.readouterr().err == (
        f"server: cannot use the address 127.0.0.1:{port}: Address already in use; choose another --bind or --port\n"
    )


def test_unusable_file_or_trace_is_an_exit_code(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", str(tmp_path / "missing")]) == ExitStatus.NO_DATA
    assert main(["serve", str(file), "--trace", str(tmp_path / "no" / "trace")]) == ExitStatus.NO_TRACE
    assert capsys.readouterr().err.count("\n") == 2


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["ftp://h/x", "--discard", "--sha1", "0" * 40], "expected http://HOST:PORT/PATH, found 'ftp://h/x'"),
        (["http://h:99999/x", "--discard", "--sha1", "0" * 40], "expected http://HOST:PORT/PATH"),
        (["http://h/x", "--sha1", "0" * 40], "one of the arguments --to --discard is required"),
        (["http://h/x", "--discard"], "one of the arguments --sha1 --original is required"),
        (["http://h/x", "--discard", "--sha1", "12"], "expected 40 hex digits, found '12'"),
        (["http://h/x", "--discard", "--sha1", "0" * 40, "--bind", "h"], "expected an IPv4 address, found 'h'"),
    ],
)
def test_bad_option_is_named(arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fetch", *arguments])
    assert ended.value.code == ExitStatus.USAGE
    assert problem in capsys.readouterr().err
