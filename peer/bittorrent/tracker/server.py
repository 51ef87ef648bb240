"""A tracker as one process: HTTP and UDP on one port, a log, and a polite end."""

import asyncio
import json
import random
import resource
import secrets
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Final, TextIO

from peer.bittorrent.tracker.http import MOST_CONNECTIONS, HttpFace
from peer.bittorrent.tracker.registry import Change, Policy, Registry
from peer.bittorrent.tracker.udp import ConnectionIds, UdpFace
from peer.bittorrent.wire.compact import unpack
from peer.net.address import Address
from peer.process.event_loop import loop_factory

_BACKLOG: Final = 1_024
_RECEIVE_BUFFER: Final = 1 << 20
_OTHER_FILES: Final = 100
_TICK: Final = 1.0
_PORT_TRIES: Final = 20
_LAST_WORDS: Final = 1.0
"""Seconds that clients have to take their answers when the tracker ends."""


class ExitCode(IntEnum):
    """How `python -m peer.bittorrent.tracker` ends; 2 is argparse's own."""

    OK = 0
    USAGE = 2
    NO_ADDRESS = 3
    NO_LOG = 4


class StartError(Exception):
    """The tracker cannot start; the message says what to do, the code is the process's."""

    def __init__(self, code: ExitCode, problem: str) -> None:
        super().__init__(problem)
        self.code = code


@dataclass(frozen=True, slots=True)
class Options:
    """How to run a tracker."""

    bind: str = "0.0.0.0"  # noqa: S104  Peers come from outside.
    port: int = 6969
    policy: Policy = field(default_factory=Policy)
    seed: int | None = None
    log: Path | None = None


def run(options: Options) -> int:
    """Serve until SIGTERM or SIGINT; the readiness line goes to standard output."""
    _allow_many_connections()
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_run(options))
    except StartError as error:
        print(f"tracker: {error}", file=sys.stderr)
        return error.code
    return ExitCode.OK


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[Address]:
    """Serve inside the context; gives the address, whose port is the one found if 0 was asked for."""
    loop = asyncio.get_running_loop()
    with Log(options.log) as log, _Sockets(options.bind, options.port) as sockets:
        registry = Registry(options.policy, random.Random(options.seed), log.write if options.log else None)
        http = HttpFace(registry, loop.time)
        udp = UdpFace(registry, ConnectionIds(secrets.token_bytes(32)), loop.time)
        server = await loop.create_server(http.connection, sock=sockets.stream, backlog=_BACKLOG)
        loop.add_reader(sockets.datagram, udp.answer_waiting, sockets.datagram)
        ticking = asyncio.create_task(_tick(registry, http))
        try:
            yield sockets.address
        finally:
            ticking.cancel()
            loop.remove_reader(sockets.datagram)
            server.close()
            await _end(http)


class Log:
    """Writes what happens to members, a JSON object a line, whole lines only; without a path, nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> "Log":
        try:
            self._file = None if self._path is None else self._path.open("a", buffering=1, encoding="utf-8")
        except OSError as error:
            problem = f"cannot write the log {self._path}: {error.strerror}; name a file that can be written"
            raise StartError(ExitCode.NO_LOG, problem) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def write(self, change: Change) -> None:
        """Write one line; a log that cannot be written is given up, for peers need the tracker more."""
        if self._file is None:
            return
        try:
            self._file.write(_log_line(change))
        except OSError as error:
            print(f"tracker: no more log in {self._path}: {error.strerror}; serving goes on", file=sys.stderr)
            self._close()

    def _close(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # What could not be written is told already.
                self._file.close()
            self._file = None


def _log_line(change: Change) -> str:
    member = change.member
    entry = {
        "time": round(time.time(), 6),
        "event": change.kind,
        "info_hash": member.swarm.info_hash.hex(),
        "peer_id": member.peer_id.hex(),
        "address": str(unpack(member.place)[0]),
        "complete": member.swarm.complete,
        "incomplete": member.swarm.incomplete,
    }
    return json.dumps(entry) + "\n"


class _Sockets:
    """A TCP and a UDP socket on one port."""

    def __init__(self, host: str, port: int) -> None:
        self._asked = Address(host, port)

    def __enter__(self) -> "_Sockets":
        try:
            self.stream, self.datagram = self._bind_both()
        except OSError as error:
            problem = f"cannot listen on {self._asked}: {error.strerror}; choose another --bind or --port"
            raise StartError(ExitCode.NO_ADDRESS, problem) from error
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()
        self.datagram.close()

    @property
    def address(self) -> Address:
        """Where the tracker is."""
        return Address(*self.stream.getsockname())

    def _bind_both(self) -> tuple[socket.socket, socket.socket]:
        """Bind TCP, then UDP to its port; a port that was found and is not free for UDP is not the one."""
        for tries_left in reversed(range(_PORT_TRIES)):
            stream = _bound(socket.SOCK_STREAM, *self._asked)
            try:
                return stream, _bound(socket.SOCK_DGRAM, *stream.getsockname())
            except OSError:
                stream.close()
                if self._asked.port or not tries_left:
                    raise
        raise AssertionError("the last try returns or raises")


def _bound(kind: socket.SocketKind, host: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK)
    try:
        if kind is socket.SOCK_STREAM:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


async def _run(options: Options) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with serving(options) as address:
        print(f"ready http://{address}/announce udp://{address}/announce", flush=True)
        await ended.wait()


async def _tick(registry: Registry, http: HttpFace) -> None:
    """Do what no message asks for."""
    while True:
        await asyncio.sleep(_TICK)
        registry.expire(http.clock())
        http.drop_overdue()


async def _end(http: HttpFace) -> None:
    """Let written answers go out; who does not take them in time is cut off."""
    http.close()
    deadline = http.clock() + _LAST_WORDS
    while http.connections and http.clock() < deadline:
        await asyncio.sleep(0.01)
    http.abort()


def _allow_many_connections() -> None:
    """Raise the limit of open files, which many systems set below what HttpFace allows, as far as we may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )
