"""The client does the actions of a session, in order, and reports the results. The sessions here are scripted."""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha1
from math import inf
from random import Random
from typing import Any, TypeAlias, cast

from peer.bittorrent.client.client import Client
from peer.bittorrent.client.open_torrent import OpenTorrent
from peer.bittorrent.client.storage import Memory, StorageError
from peer.bittorrent.client.trackers import TrackerClient
from peer.bittorrent.engine.actions import (
    Action,
    Announce,
    Close,
    Dial,
    Divert,
    Greet,
    Leave,
    OfferBlocks,
    Send,
    Verify,
)
from peer.bittorrent.engine.download.block_reception import Placement
from peer.bittorrent.engine.session import Session
from peer.bittorrent.engine.upload.upload import QueuedBlock
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.handshake import Handshake
from peer.bittorrent.wire.messages import (
    Have,
    Message,
    PieceHeader,
    Request,
    encode,
)
from peer.bittorrent.wire.metainfo.metainfo import Info, make_info
from peer.bittorrent.wire.tracker.messages import AnnounceRequest, AnnounceResponse, Event
from peer.net.address import Address
from peer.net.dialler import Dialler
from peer.net.listener import Listener
from peer.net.rate_limiter import RateLimiter
from peer.net.sockets import bound_socket

Run: TypeAlias = Callable[[Coroutine[Any, Any, Any]], Any]

BLOCK = 16 << 10
SOON = 5.0
HELLO = Handshake(b"i" * 20, b"p" * 20)
ANNOUNCE = AnnounceRequest(b"i" * 20, b"p" * 20, 6881, 0, 0, left=1)


@dataclass
class Script:
    """A session that answers by a script, and records its inputs."""

    answers: dict[str, list[Action]] = field(default_factory=dict)
    """What to do after the first input of a kind."""
    placements: list[Placement] = field(default_factory=list)
    uploads: list[QueuedBlock] = field(default_factory=list)
    heard: list[tuple[Any, ...]] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    deadline: float = inf
    keys: int = 0
    most: int = 100
    is_complete: bool = False
    keeps_pieces: bool = True
    have: Bitfield | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, kind: str, *what: object) -> None:
        self.heard.append((kind, *what))
        self.actions += self.answers.pop(kind, [])
        self.changed.set()

    def take_actions(self) -> list[Action]:
        taken, self.actions = self.actions, []
        return taken

    def next_deadline(self) -> float:
        return self.deadline

    def tick(self, _now: float) -> None:
        self.deadline = inf
        self.hear("tick")

    def start(self, _now: float) -> None:
        self.hear("start")

    def connected(self, _address: Address, _now: float, *, is_outgoing: bool, identity: int) -> int | None:
        assert identity == 0
        if self.keys == self.most:
            return None
        self.keys += 1
        self.hear("connected", self.keys, is_outgoing)
        return self.keys

    def message_received(self, key: int, message: Handshake | Message, _now: float) -> None:
        self.hear("message received", key, message)

    def block_began(self, key: int, header: PieceHeader, _now: float) -> Placement:
        self.hear("block began", key, header)
        return self.placements.pop(0)

    def block_received(self, key: int, header: PieceHeader, _now: float) -> bool:
        self.hear("block received", key, header)
        return True

    def next_block(self, _key: int, _now: float) -> QueuedBlock | None:
        return self.uploads.pop(0) if self.uploads else None

    def block_sent(self, key: int, request: Request, _now: float) -> None:
        self.hear("block sent", key, request)

    def piece_checked(self, index: int, is_good: bool, _now: float, _digests: tuple[bytes, ...]) -> None:
        self.hear("piece checked", index, is_good)

    def dial_failed(self, address: Address, reason: str, _now: float, _identity: int) -> None:
        self.hear("dial failed", address, reason)

    def disconnected(self, key: int, reason: str, _now: float) -> None:
        self.hear("disconnected", key, reason)

    def protocol_error(self, key: int, error: str, _now: float) -> None:
        self.hear("protocol error", key, error)

    def tracker_answered(self, url: str, response: AnnounceResponse, _now: float, _identity: int) -> None:
        self.hear("answered", url, response)

    def tracker_failed(self, url: str, reason: str, _now: float, _identity: int) -> None:
        self.hear("failed to announce", url, reason)

    def failed(self, what: str, _now: float) -> None:
        self.hear("failed", what)
        self.actions.append(Leave(what))

    async def until(self, kind: str, count: int = 1) -> None:
        async with asyncio.timeout(SOON):
            while self.count(kind) < count:
                self.changed.clear()
                await self.changed.wait()

    def count(self, kind: str) -> int:
        return sum(what[0] == kind for what in self.heard)


def two_blocks() -> tuple[Info, bytes]:
    """A torrent of one piece of two blocks."""
    data = Random(1).randbytes(2 * BLOCK)
    return make_info("data", len(data), len(data), [sha1(data, usedforsecurity=False).digest()]), data


class Scene:
    """A client with a scripted session, and a way in."""

    def __init__(self, script: Script, storage: Memory | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.info, self.data = two_blocks()
        self.storage = storage or Memory(self.info)
        self.client = Client(
            cast(Session, script),
            dialler=Dialler("127.0.0.1", SOON, loop),
            trackers=TrackerClient("127.0.0.1"),
            rate_limiter=RateLimiter(None, time.monotonic()),
            torrent=OpenTorrent(self.info, self.storage, BLOCK),
            open_torrent=lambda _: loop.create_future(),
            on_complete=lambda: None,
        )
        bound = bound_socket(Address("127.0.0.1", 0))
        self.address = Address(*bound.getsockname())
        self.listener = Listener(bound, loop, partial(self.client.accepted, 0))
        self.strangers: list[socket.socket] = []

    async def __aenter__(self) -> "Scene":
        self.client.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.listener.close()
        await self.client.end()
        for stranger in self.strangers:
            stranger.close()

    async def stranger(self) -> socket.socket:
        made = socket.socket()
        made.setblocking(False)
        self.strangers.append(made)
        await asyncio.get_running_loop().sock_connect(made, self.address)
        return made


async def say(stranger: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(stranger, data)


async def hear(stranger: socket.socket, count: int) -> bytes:
    data = b""
    async with asyncio.timeout(SOON):
        while len(data) < count and (more := await asyncio.get_running_loop().sock_recv(stranger, count)):
            data += more
    return data


def test_actions_run_in_order_consequences_come_last(run: Run) -> None:
    async def body() -> None:
        script = Script({"message received": [Verify(0), Send(1, Have(1))], "piece checked": [Send(1, Have(2))]})
        async with Scene(script) as scene:
            scene.storage.space(0, 0, 2 * BLOCK)[:] = scene.data
            stranger = await scene.stranger()
            await say(stranger, HELLO.encode())
            assert await hear(stranger, 18) == encode(Have(1)) + encode(Have(2))
        assert script.heard[-1] == ("piece checked", 0, True)

    run(body())


def test_greeting_is_sent_and_close_flushes_messages(run: Run) -> None:
    async def body() -> None:
        script = Script({"connected": [Greet(1, HELLO.encode()), Send(1, Have(0)), Close(1, "enough")]})
        async with Scene(script) as scene:
            stranger = await scene.stranger()
            assert await hear(stranger, 1000) == HELLO.encode() + encode(Have(0))
        assert script.count("disconnected") == 0

    run(body())


def test_refused_connection_is_closed_at_once(run: Run) -> None:
    async def body() -> None:
        async with Scene(Script(most=0)) as scene:
            assert await hear(await scene.stranger(), 1) == b""

    run(body())


def test_blocks_are_sent_from_storage(run: Run) -> None:
    async def body() -> None:
        request = Request(0, BLOCK, BLOCK)
        script = Script({"message received": [OfferBlocks(1)]}, uploads=[QueuedBlock(request, is_garbage=False)])
        async with Scene(script) as scene:
            scene.storage.space(0, 0, 2 * BLOCK)[:] = scene.data
            stranger = await scene.stranger()
            await say(stranger, HELLO.encode())
            assert (await hear(stranger, 13 + BLOCK))[13:] == scene.data[BLOCK:]
            await script.until("block sent")
        assert script.heard[-1] == ("block sent", 1, request)

    run(body())


def test_garbage_replaces_a_block_with_varying_bytes(run: Run) -> None:
    async def body() -> None:
        request = Request(0, BLOCK, BLOCK)
        script = Script({"message received": [OfferBlocks(1)]}, uploads=[QueuedBlock(request, is_garbage=True)])
        async with Scene(script) as scene:
            scene.storage.space(0, 0, 2 * BLOCK)[:] = scene.data
            stranger = await scene.stranger()
            await say(stranger, HELLO.encode())
            garbage = (await hear(stranger, 13 + BLOCK))[13:]
        assert garbage != scene.data[BLOCK:]
        assert len(set(garbage)) > 200

    run(body())


def test_first_complete_copy_of_a_block_wins(run: Run) -> None:
    async def body() -> None:
        script = Script({"block received": [Divert(1)]}, placements=[Placement.IN_PLACE, Placement.ASIDE])
        header = encode(PieceHeader(0, 0, BLOCK))
        async with Scene(script) as scene:
            slow, quick = await scene.stranger(), await scene.stranger()
            await say(slow, HELLO.encode() + header + b"s" * 100)
            await script.until("block began")
            await say(quick, HELLO.encode() + header + b"q" * BLOCK)
            await script.until("block received")
            await say(slow, b"s" * (BLOCK - 100))
            await script.until("block received", 2)
            assert scene.storage.read(0, 0, BLOCK) == b"q" * BLOCK

    run(body())


def test_broken_stream_and_its_end_are_reported(run: Run) -> None:
    async def body() -> None:
        script = Script({"protocol error": [Close(1, "nonsense")]})
        async with Scene(script) as scene:
            first, second = await scene.stranger(), await scene.stranger()
            await say(first, b"HELO")
            await script.until("protocol error")
            assert await hear(first, 1) == b""
            second.close()
            await script.until("disconnected")
        assert script.heard[-1] == ("disconnected", 2, "closed by the other end")

    run(body())


def test_a_storage_that_fails_ends_the_session(run: Run) -> None:
    class Full(Memory):
        def keep(self, _: int) -> None:
            raise StorageError("disk full")

    async def body() -> None:
        script = Script({"start": [Verify(0)]})
        full = Full(two_blocks()[0])
        full.space(0, 0, 2 * BLOCK)[:] = two_blocks()[1]
        async with Scene(script, full) as scene:
            assert (await scene.client.left).reason == "disk full"
            assert scene.client.failure == "disk full"
        assert script.count("piece checked") == 0

    run(body())


def test_dialled_and_accepted_connections_are_distinguished(run: Run) -> None:
    async def body() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            deaf = Address(*nobody.getsockname())
            script = Script({"start": [Dial(Address(*server.getsockname())), Dial(deaf)]})
            async with Scene(script):
                await script.until("connected")
                await script.until("dial failed")
        assert ("connected", 1, True) in script.heard
        assert ("dial failed", deaf, "Connection refused") in script.heard

    run(body())


def test_tracker_failure_is_reported_except_for_stopped(run: Run) -> None:
    async def body() -> None:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{nobody.getsockname()[1]}/announce"
            last = AnnounceRequest(b"i" * 20, b"p" * 20, 6881, 0, 0, left=1, event=Event.STOPPED)
            script = Script({"start": [Announce(url, ANNOUNCE), Announce(url, last)]})
            async with Scene(script):
                await script.until("failed to announce")
        assert script.count("failed to announce") == 1

    run(body())


def test_a_deadline_is_kept(run: Run) -> None:
    async def body() -> None:
        script = Script(deadline=time.monotonic() + 0.02)
        async with Scene(script):
            await script.until("tick")

    run(body())
