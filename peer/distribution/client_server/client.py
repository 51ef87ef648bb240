"""The client of the client-server scheme: one connection, and after a loss another one, resuming where it was."""

import asyncio
import re
import socket
from dataclasses import dataclass
from random import Random
from time import monotonic
from typing import Final

from contract.programs import READY
from peer.distribution.client_server.ranges import body_of, request_from
from peer.distribution.content import Arrival, WrongContentError
from peer.net.address import Address
from peer.net.backoff import backoff
from peer.net.http import HttpError, Response, parse_response, take_head
from peer.net.sockets import explain
from peer.process.exit_status import ExitStatus, ProgramError
from peer.process.program import bind
from peer.trace.recorder import TraceRecorder

SILENCE: Final = 20.0
"""Seconds without a byte after which a connection counts as lost."""
FIRST_WAIT: Final = 0.1
LONGEST_WAIT: Final = 5.0
_READ: Final = 256 << 10
_URL: Final = re.compile(r"http://([A-Za-z0-9._-]+)(?::([0-9]{1,5}))?(/[!-~]*)?")


class LostError(Exception):
    """A connection ended or could not be made; another one may succeed."""


@dataclass(frozen=True, slots=True)
class Url:
    """http://host:port/path of a file."""

    host: str
    port: int
    path: str

    def __str__(self) -> str:
        return f"http://{Address(self.host, self.port)}{self.path}"


def parse_url(text: str) -> Url:
    """Read http://HOST:PORT/PATH; raises ValueError."""
    match = _URL.fullmatch(text)
    if match is None or not 0 < int(match[2] or 80) < 1 << 16:
        raise ValueError(f"expected http://HOST:PORT/PATH, found {text!r}")
    return Url(match[1], int(match[2] or 80), match[3] or "/")


class Fetch:
    """The download of one file."""

    def __init__(
        self,
        url: Url,
        arrival: Arrival,
        recorder: TraceRecorder,
        *,
        source: str,
        size: int | None,
        patience: float,
        rng: Random,
    ) -> None:
        """`source` is our own address, `size` the length if known; after `patience` seconds without data we give up."""
        self._url: Final = url
        self._arrival: Final = arrival
        self._recorder: Final = recorder
        self._source: Final = source
        self._patience: Final = patience
        self._rng: Final = rng
        self._length = size
        self._version: str | None = None
        self._offset = 0
        self._is_ready = False
        self._failures = 0
        self._progress_at = monotonic()

    @property
    def is_whole(self) -> bool:
        return self._offset == self._length

    async def run(self) -> None:
        """Fetch the whole file, over as many connections as it takes."""
        while True:
            try:
                await self._connect()
            except LostError as error:
                await self._wait(str(error))
            if self.is_whole:
                self._arrival.finish()
                self._recorder.completed()
                return

    async def _wait(self, problem: str) -> None:
        self._failures += 1
        if monotonic() - self._progress_at > self._patience:
            raise ProgramError(ExitStatus.GAVE_UP, f"{self._url}: {problem}; nothing came for {self._patience:g} s")
        wait = backoff(self._failures, FIRST_WAIT, LONGEST_WAIT, self._rng)
        self._recorder.failed(problem, retry_in=wait)
        await asyncio.sleep(wait)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        address = Address(self._url.host, self._url.port)
        with bind(Address(self._source, 0), "cannot use the address", "choose another --bind") as connected:
            self._say_ready(Address(*connected.getsockname()))
            try:
                async with asyncio.timeout(SILENCE):
                    await loop.sock_connect(connected, address)
            except TimeoutError as error:
                raise LostError(f"no answer within {SILENCE:g} s") from error
            except OSError as error:
                raise LostError(explain(error)) from error
            key = self._recorder.connected(str(address), is_outgoing=True)
            await self._use(connected, key)

    def _say_ready(self, address: Address) -> None:
        """Print once that the client is up, whether or not the server is."""
        if not self._is_ready:
            self._is_ready = True
            print(f"{READY} {address}", flush=True)

    async def _use(self, connected: socket.socket, key: int) -> None:
        reason, by_us = "cut short", True
        try:
            await self._converse(connected, key)
            reason = "complete"
        except LostError as error:
            reason, by_us = str(error), False
            raise
        except ProgramError as error:
            reason = str(error)
            raise
        finally:
            self._recorder.disconnected(key, reason, by_us=by_us)

    async def _converse(self, connected: socket.socket, key: int) -> None:
        """Request what is missing, and receive it."""
        host = str(Address(self._url.host, self._url.port))
        request = request_from(self._url.path, host, self._offset, self._version)
        buffer = bytearray()
        await _send(connected, request)
        response = await _receive_head(connected, buffer)
        end = self._begin_body(response)
        if buffer:
            self._take(memoryview(buffer)[: end - self._offset], key)
        space = memoryview(bytearray(_READ))
        while self._offset < end:
            count = await _receive(connected, space[: end - self._offset])
            self._take(space[:count], key)

    def _take(self, data: memoryview, key: int) -> None:
        self._arrival.arrived(self._offset, data)
        self._offset += len(data)
        self._recorder.moved(key, received=len(data))
        self._failures, self._progress_at = 0, monotonic()

    def _begin_body(self, response: Response) -> int:
        """Check the head of an answer; returns where its body ends."""
        if response.status >= 500:
            raise LostError(f"the server answers {response.status}")
        if response.status not in {200, 206}:
            problem = f"{self._url}: the server answers {response.status}; expected 200 or 206"
            raise ProgramError(ExitStatus.GAVE_UP, problem)
        try:
            body, length = body_of(response)
        except HttpError as error:
            raise ProgramError(ExitStatus.GAVE_UP, f"{self._url}: {error}") from error
        self._check_length(length)
        if body.start != self._offset:
            self._restart(body.start)
        self._version = response.headers.get("etag")
        return body.stop

    def _check_length(self, length: int) -> None:
        if self._length not in {None, length}:
            raise WrongContentError(f"{self._url}: expected {self._length} bytes, the server has {length}")
        self._length = length

    def _restart(self, start: int) -> None:
        if start:
            raise ProgramError(
                ExitStatus.GAVE_UP, f"{self._url}: the server answers with another range than was asked for"
            )
        self._recorder.wasted += self._offset
        self._offset = 0
        self._arrival.restart()


async def _send(connected: socket.socket, data: bytes) -> None:
    try:
        async with asyncio.timeout(SILENCE):
            await asyncio.get_running_loop().sock_sendall(connected, data)
    except TimeoutError as error:
        raise LostError(f"no answer within {SILENCE:g} s") from error
    except OSError as error:
        raise LostError(explain(error)) from error


async def _receive_head(connected: socket.socket, buffer: bytearray) -> Response:
    """Receive a head; bytes beyond it stay in the buffer."""
    space = memoryview(bytearray(4 << 10))
    try:
        while (head := take_head(buffer)) is None:
            buffer += space[: await _receive(connected, space)]
        return parse_response(head)
    except HttpError as error:
        raise ProgramError(ExitStatus.GAVE_UP, f"the server: {error}") from error


async def _receive(connected: socket.socket, space: memoryview) -> int:
    """Receive at least one byte."""
    try:
        async with asyncio.timeout(SILENCE):
            count = await asyncio.get_running_loop().sock_recv_into(connected, space)
    except TimeoutError as error:
        raise LostError(f"nothing came for {SILENCE:g} s") from error
    except OSError as error:
        raise LostError(explain(error)) from error
    if not count:
        raise LostError("closed by the other end")
    return count
