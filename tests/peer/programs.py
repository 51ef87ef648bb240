"""Our programs as processes on loopback, for tests of the command line."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from peer.bittorrent.wire.decoder import BlockReceived, Decoder
from peer.bittorrent.wire.handshake import Handshake
from peer.bittorrent.wire.messages import Message, encode
from peer.bittorrent.wire.metainfo.metainfo import Info, decode_metainfo
from peer.net.address import Address

SOON: Final = 10.0
PIECE: Final = 16 << 10

T = TypeVar("T")


@dataclass
class Program:
    """A running command, whose output is read line by line."""

    process: subprocess.Popen[str]
    port: int = 0

    def line(self) -> str:
        """The next line of standard output; empty at its end."""
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
        """Signal it to end, and return its status."""
        self.process.send_signal(number)
        return self.process.wait(SOON)

    def errors(self) -> str:
        """Standard error, to its end."""
        assert self.process.stderr is not None
        return self.process.stderr.read()


@contextmanager
def running(*arguments: object, **options: Any) -> Iterator[Program]:
    """Run `python -m peer`; it is killed at the end of the context, and if the test hangs."""
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
    """Run a seed on a free port, and wait until it listens."""
    command = ["seed", shared.torrent, "--data", shared.data, "--bind", "127.0.0.1", "--port", 0, *arguments]
    with running(*command) as program:
        yield program.ready()


@contextmanager
def leeching(torrent: object, *arguments: object, **options: Any) -> Iterator[Program]:
    """Run a leech on a free port, and wait until it listens."""
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
    """The lines of a trace."""
    return [json.loads(line) for line in trace.read_text().splitlines()]


def named(recorded: Sequence[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """The events of one kind."""
    return [event for event in recorded if event["event"] == name]


class Stranger:
    """A neighbour whose messages a test writes."""

    def __init__(self, address: Address, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(address, timeout=SOON, source_address=(host, 0))
        self._decoder = Decoder()
        self._heard: list[Handshake | Message | BlockReceived] = []

    def __enter__(self) -> "Stranger":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def greet(self, info_hash: bytes) -> "Stranger":
        """Send a handshake."""
        self.socket.sendall(
            Handshake(info_hash, b"-XX0001-" + self.socket.getsockname()[1].to_bytes(12, "big")).encode()
        )
        return self

    def say(self, *messages: Message) -> None:
        """Send messages."""
        self.socket.sendall(b"".join(map(encode, messages)))

    def hear(self, kind: type[T]) -> T:
        """Wait for the next event of a kind, and drop those before it."""
        while True:
            while self._heard:
                event = self._heard.pop(0)
                if isinstance(event, kind):
                    return event
            data = self.socket.recv(1 << 16)
            assert data, f"the connection ended before a {kind.__name__} came"
            self._heard += self._decoder.feed(data)

    def is_closed(self) -> bool:
        """Wait until the other end closes."""
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
        return True
