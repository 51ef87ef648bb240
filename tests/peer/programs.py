"""Our programs as processes on the loopback interface, for tests of the command line."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from peer.bittorrent.wire.decoder import BlockReceived, Decoder
from peer.bittorrent.wire.handshake import Handshake
from peer.bittorrent.wire.messages import Message, encode
from peer.bittorrent.wire.metainfo.metainfo import Info, decode_metainfo
from peer.net.address import Address

SOON: Final = 30.0
"""Seconds in which something happens even if the tests have only the time that others leave."""
PIECE: Final = 16 << 10

T = TypeVar("T")


@dataclass
class Program:
    """A running command, whose output is read line by line."""

    process: subprocess.Popen[str]
    port: int = 0

    def line(self) -> str:
        """Return the next line of standard output; "" at its end."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def ready(self) -> "Program":
        """Wait until it listens."""
        line = self.line()
        found = re.search(r":(\d+)(/announce)?$", line)
        assert line.startswith("ready "), (line, self.errors())
        assert found
        self.port = int(found[1])
        return self

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to end it, and return its exit status."""
        self.process.send_signal(number)
        return self.process.wait(SOON)

    def errors(self) -> str:
        """Return the rest of standard error."""
        assert self.process.stderr is not None
        return self.process.stderr.read()


@contextmanager
def running(*arguments: object, **options: Any) -> Iterator[Program]:
    """Run `python -m peer`. It is killed at the end of the block, or when the test hangs."""
    command = [sys.executable, "-m", "peer", *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, **options) as process:
        watchdog = threading.Timer(6 * SOON, process.kill)
        watchdog.start()
        try:
            yield Program(process)
        finally:
            watchdog.cancel()
            process.kill()


@contextmanager
def seeding(shared: "Share", *arguments: object) -> Iterator[Program]:
    """Run a seed on a free port; it listens when the block begins."""
    command = ["seed", shared.torrent, "--data", shared.data, "--bind", "127.0.0.1", "--port", 0, *arguments]
    with running(*command) as program:
        yield program.ready()


@contextmanager
def leeching(torrent: object, *arguments: object, **options: Any) -> Iterator[Program]:
    """Run a leech on a free port; it listens when the block begins."""
    with running("leech", torrent, "--bind", "127.0.0.1", "--port", 0, *arguments, **options) as program:
        yield program.ready()


@dataclass(frozen=True)
class Share:
    """A torrent and its data."""

    torrent: Path
    data: Path

    @property
    def info(self) -> Info:
        return decode_metainfo(self.torrent.read_bytes()).info


def events(trace: Path) -> list[dict[str, Any]]:
    """Read the events of a trace."""
    return [json.loads(line) for line in trace.read_text().splitlines()]


def events_so_far(trace: Path) -> list[dict[str, Any]]:
    """Read the events of a trace that is still being written."""
    return [json.loads(line) for line in trace.read_text().rpartition("\n")[0].splitlines()]


def wait_until(is_so: Callable[[], bool]) -> None:
    """Look again and again until something is so."""
    deadline = time.monotonic() + SOON
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def named(recorded: Sequence[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return the events of this name."""
    return [event for event in recorded if event["event"] == name]


class ScriptedPeer:
    """A neighbour on a real socket, whose messages a test writes."""

    def __init__(self, address: Address, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(address, timeout=SOON, source_address=(host, 0))
        self._decoder = Decoder()
        self._received: list[Handshake | Message | BlockReceived] = []

    def __enter__(self) -> "ScriptedPeer":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def shake_hands(self, info_hash: bytes) -> "ScriptedPeer":
        self.socket.sendall(
            Handshake(info_hash, b"-XX0001-" + self.socket.getsockname()[1].to_bytes(12, "big")).encode()
        )
        return self

    def send(self, *messages: Message) -> None:
        self.socket.sendall(b"".join(map(encode, messages)))

    def receive(self, kind: type[T]) -> T:
        """Wait for the next event of a type, and drop those before it."""
        while True:
            while self._received:
                event = self._received.pop(0)
                if isinstance(event, kind):
                    return event
            data = self.socket.recv(1 << 16)
            assert data, f"the connection ended before a {kind.__name__} arrived"
            self._received += self._decoder.feed(data)

    def is_closed(self) -> bool:
        """Wait until the other end closes the connection; always return True."""
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
        return True
