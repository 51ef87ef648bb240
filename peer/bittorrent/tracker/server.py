"""A tracker as one process: HTTP and UDP on one port, and a log."""

import asyncio
import json
import random
import secrets
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO

from contract.programs import READY
from peer.bittorrent.tracker.http import MOST_CONNECTIONS, HttpServer
from peer.bittorrent.tracker.registry import Change, Policy, Registry
from peer.bittorrent.tracker.udp import ConnectionIds, UdpServer
from peer.bittorrent.wire.compact import unpack
from peer.net.address import Address
from peer.net.sockets import bound_socket, explain
from peer.process import program
from peer.process.exit_status import ExitStatus, ProgramError
from peer.process.limits import allow_open_files
from peer.process.signals import EndSignals

_BACKLOG: Final = 1_024
_RECEIVE_BUFFER: Final = 1 << 20
_OTHER_FILES: Final = 100
_TICK: Final = 1.0
_PORT_TRIES: Final = 20
_LINGER: Final = 1.0
"""Seconds that clients have to take their answers when the tracker ends."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to run a tracker."""

    bind: str = "0.0.0.0"  # noqa: S104  Peers come from outside.
    port: int = 6969
    policy: Policy = field(default_factory=Policy)
    seed: int | None = None
    log: Path | None = None


def run(options: Options) -> ExitStatus:
    """Serve until SIGTERM or SIGINT, after printing the readiness line; raises ProgramError."""
    allow_open_files(MOST_CONNECTIONS + _OTHER_FILES)
    return program.run(lambda signals: _run(options, signals))


async def _run(options: Options, signals: EndSignals) -> ExitStatus:
    async with serving(options) as address:
        print(f"{READY} http://{address}/announce udp://{address}/announce", flush=True)
        await signals.asked.wait()
    return ExitStatus.OK


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[Address]:
    """Serve inside the context; gives the address, with the port that was found if 0 was asked for."""
    loop = asyncio.get_running_loop()
    with Log(options.log) as log, _Sockets(options.bind, options.port) as sockets:
        registry = Registry(options.policy, random.Random(options.seed), log.write if options.log else None)
        http = HttpServer(registry, loop.time)
        udp = UdpServer(registry, ConnectionIds(secrets.token_bytes(32)), loop.time)
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
    """Writes what happens to members, one JSON object per line, whole lines only; without a path, nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> "Log":
        try:
            self._file = None if self._path is None else self._path.open("a", buffering=1, encoding="utf-8")
        except OSError as error:
            problem = f"cannot write the log {self._path}: {error.strerror}; name a file that can be written"
            raise ProgramError(ExitStatus.NO_TRACE, problem) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def write(self, change: Change) -> None:
        """Write one line. A log that cannot be written is abandoned: peers need the tracker more."""
        if self._file is None:
            return
        try:
            self._file.write(_log_line(change))
        except OSError as error:
            print(f"tracker: no more log in {self._path}: {error.strerror}; serving continues", file=sys.stderr)
            self._close()

    def _close(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # What could not be written has been reported.
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
            problem = f"cannot listen on {self._asked}: {explain(error)}; choose another --bind or --port"
            raise ProgramError(ExitStatus.NO_ADDRESS, problem) from error
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()
        self.datagram.close()

    @property
    def address(self) -> Address:
        """The address of both sockets."""
        return Address(*self.stream.getsockname())

    def _bind_both(self) -> tuple[socket.socket, socket.socket]:
        """Bind TCP, then UDP to its port; if the system chose a port that is not free for UDP, try another."""
        for tries_left in reversed(range(_PORT_TRIES)):
            stream = bound_socket(self._asked)
            try:
                return stream, _bound_datagram(Address(*stream.getsockname()))
            except OSError:
                stream.close()
                if self._asked.port or not tries_left:
                    raise
        raise AssertionError("the last try returns or raises")


def _bound_datagram(address: Address) -> socket.socket:
    bound = bound_socket(address, socket.SOCK_DGRAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    return bound


async def _tick(registry: Registry, http: HttpServer) -> None:
    """Do what no message triggers."""
    while True:
        await asyncio.sleep(_TICK)
        registry.expire(http.clock())
        http.drop_overdue()


async def _end(http: HttpServer) -> None:
    """Let written answers go out, then drop the clients that have not taken theirs."""
    http.close()
    deadline = http.clock() + _LINGER
    while http.connections and http.clock() < deadline:
        await asyncio.sleep(0.01)
    http.abort()
