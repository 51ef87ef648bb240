"""The tracker as a process: readiness line, HTTP and UDP, exit codes."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from peer.bittorrent.wire.tracker.http import announce_url, decode_announce_response
from peer.bittorrent.wire.tracker.messages import AnnounceRequest, AnnounceResponse, Event
from peer.bittorrent.wire.tracker.udp import (
    ConnectRequest,
    ConnectResponse,
    ErrorResponse,
    UdpAnnounceRequest,
    UdpAnnounceResponse,
    decode_response,
)
from peer.cli.main import main
from peer.process.exit_status import ExitStatus

SOON = 5.0
ASK = AnnounceRequest(b"A" * 20, b"p" * 20, 6881, 0, 0, left=1, event=Event.STARTED)
COMMAND = [sys.executable, "-m", "peer", "tracker", "--bind", "127.0.0.1"]


@contextmanager
def tracker(*options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a tracker; gives its process and its port."""
    with subprocess.Popen([*COMMAND, "--port", "0", *options], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            ready = re.fullmatch(r"ready http://127\.0\.0\.1:(\d+)/announce udp://127\.0\.0\.1:\1/announce\n", line)
            assert ready, line
            yield process, int(ready[1])
        finally:
            process.kill()


def announce_http(port: int, request: AnnounceRequest) -> AnnounceResponse:
    url = announce_url(f"http://127.0.0.1:{port}/announce", request)
    with urllib.request.urlopen(url, timeout=SOON) as answer:  # noqa: S310
        response = decode_announce_response(answer.read())
    assert isinstance(response, AnnounceResponse), response
    return response


def ask_udp(
    client: socket.socket, request: ConnectRequest | UdpAnnounceRequest
) -> ConnectResponse | UdpAnnounceResponse | ErrorResponse:
    client.send(request.encode())
    answer = decode_response(client.recv(2048))
    while answer.transaction != request.transaction:
        answer = decode_response(client.recv(2048))
    return answer


def announce_udp(port: int, request: AnnounceRequest) -> AnnounceResponse:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(SOON)
        client.connect(("127.0.0.1", port))
        for garbage in (b"", b"x", bytes(16), bytes(98), b"\xff" * 5000):
            client.send(garbage)
        connected = ask_udp(client, ConnectRequest(1))
        assert isinstance(connected, ConnectResponse)
        answer = ask_udp(client, UdpAnnounceRequest(connected.connection, 2, request))
    assert isinstance(answer, UdpAnnounceResponse), answer
    return answer.as_response()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_http_and_udp_share_swarms_until_signal(tmp_path: Path, number: signal.Signals) -> None:
    log = tmp_path / "log.jsonl"
    with tracker("--log", str(log)) as (process, port):
        announce_http(port, ASK)
        other = AnnounceRequest(b"A" * 20, b"q" * 20, 7, 0, 0, left=0, key="0000000f")
        answer = announce_udp(port, other)
        assert [str(address) for address in answer.addresses()] == ["127.0.0.1:6881"]
        announce_http(port, AnnounceRequest(b"A" * 20, b"p" * 20, 6881, 0, 0, left=1, event=Event.STOPPED))
        process.send_signal(number)
        assert process.wait(SOON) == ExitStatus.OK
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(event["event"], event["address"]) for event in events] == [
        ("started", "127.0.0.1:6881"),
        ("started", "127.0.0.1:7"),
        ("stopped", "127.0.0.1:6881"),
    ]
    assert events[-1]["info_hash"] == (b"A" * 20).hex()
    assert (events[-1]["complete"], events[-1]["incomplete"]) == (1, 0)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_port_in_use_is_an_exit_code(kind: int, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        assert main(["tracker", "--bind", "127.0.0.1", "--port", str(port)]) == ExitStatus.NO_ADDRESS
    assert capsys.readouterr().err == (
        f"tracker: cannot listen on 127.0.0.1:{port}: Address already in use; choose another --bind or --port\n"
    )


def test_unwritable_log_is_an_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "missing" / "log"
    assert main(["tracker", "--bind", "127.0.0.1", "--port", "0", "--log", str(log)]) == ExitStatus.NO_TRACE
    assert str(log) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("--port", "65536", "expected a whole number from 0 to 65535, found '65536'"),
        ("--numwant", "201", "expected a whole number from 0 to 200, found '201'"),
        ("--interval", "0", "expected a whole number from 1 to 86400, found '0'"),
        ("--bind", "nowhere", "expected an IPv4 address, found 'nowhere'"),
        ("--allow", "abc", "expected 40 hex digits, found 'abc'"),
    ],
)
def test_bad_option_is_named(option: str, value: str, problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["tracker", option, value])
    assert ended.value.code == ExitStatus.USAGE
    assert f"argument {option}: {problem}" in capsys.readouterr().err


def test_help_lists_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["tracker", "--help"])
    told = capsys.readouterr().out.partition("exit codes:")[2]
    assert [int(code) for code in re.findall(r"^  (\d)  ", told, re.MULTILINE)] == [0, 2, 3, 4]
