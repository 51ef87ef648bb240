"""One program of the fluid scheme, be it the server or a peer: what comes in, and what goes on to others.

    server    releases to each peer the blocks of the peer's stream and of the direct stream, by the clock
    peer      releases a block of its own stream to all other peers when it has come and is right

The server's clock runs a little faster than the rates (`Plan.excess`). So the links limit, and a start that was late is
made up for; and yet no stream gets far ahead of another: by T x excess in a file that takes the time T.
"""

import asyncio
import socket
from functools import partial
from random import Random
from typing import Final

from peer.distribution.content import Arrival
from peer.distribution.endings import EndError
from peer.distribution.fluid.connections import (
    Blocks,
    Hello,
    Pacer,
    Sink,
    Source,
    Stranger,
)
from peer.distribution.fluid.plan import SERVER, Deal, Plan
from peer.net.address import Address
from peer.net.listener import Listener
from peer.net.dialler import Dialler
from peer.trace.recorder import Diary

MOST_STRANGERS: Final = 64
_DIAL_PATIENCE: Final = 3.0


class Relay:
    """All connections of a program."""

    def __init__(self, plan: Plan, who: int, diary: Diary, rng: Random, arrival: Arrival) -> None:
        self._plan: Final = plan
        self._who: Final = who
        self._diary: Final = diary
        self._arrival: Final = arrival
        self._deal: Final = Deal(plan)
        self._ended: Final[asyncio.Future[None]] = asyncio.get_running_loop().create_future()
        self._strangers: Final[set[Stranger]] = set()
        self._dialler: Final = Dialler(plan.address(who).host, _DIAL_PATIENCE, asyncio.get_running_loop())
        self._own_stream: Final = self._deal.stream(who)
        self._own_count = 0
        self.have_count = plan.block_count if who == SERVER else 0
        self._sinks: Final = {peer: self._make_sink(peer) for peer in plan.others(who) if peer != SERVER}
        self._pacers: Final = {peer: self._make_pacer(peer) for peer in self._sinks if who == SERVER}
        self._sources: Final = [self._make_source(sender, rng) for sender in plan.others(who)]

    @property
    def is_whole(self) -> bool:
        """Whether all blocks are here."""
        return self.have_count == self._plan.block_count

    async def run(self, bound: socket.socket) -> None:
        """Take part until we have everything, and everybody has from us what they should."""
        listener = Listener(bound, asyncio.get_running_loop(), self._accept)
        print(f"ready {Address(*bound.getsockname())}", flush=True)
        try:
            for source in self._sources:
                source.start()
            self._end_if_done()
            await self._ended
        finally:
            listener.close()
            self._close()

    def introduced(self, stranger: Stranger, hello: Hello) -> None:
        """Give a stranger the connection of the peer that it is."""
        if problem := self._objection(stranger.address, hello):
            self.dismissed(stranger, problem)
            return
        self._strangers.discard(stranger)
        self._sinks[hello.who].attach(stranger.leave(), stranger.address, hello.have)
        if self._who == SERVER:
            self._pacers[hello.who].begin(hello.have)

    def dismissed(self, stranger: Stranger, reason: str) -> None:
        """Close a connection that is no peer's."""
        self._diary.failed(f"{stranger.address} is not let in: {reason}")
        self._strangers.discard(stranger)
        stranger.leave().close()

    def _objection(self, address: Address, hello: Hello) -> str:
        if hello.plan != self._plan.digest:
            return "it has another plan"
        if hello.who not in self._sinks or address.host != self._plan.address(hello.who).host:
            return f"it is not peer {hello.who}"
        blocks = self._sinks[hello.who].block_count
        return "" if hello.have < blocks else f"it has {hello.have} of {blocks} blocks, and wants more"

    def _accept(self, connected: socket.socket, address: Address) -> None:
        if len(self._strangers) < MOST_STRANGERS + len(self._sinks):
            self._strangers.add(Stranger(connected, address, self))
        else:
            connected.close()

    def _came(self, sender: int, begin: int, data: memoryview) -> None:
        """Take a block; if it is of our own stream, it is for others too and goes on at once."""
        try:
            self._arrival.came(begin, data)
            self.have_count += 1
            if sender == SERVER:
                self._pass_on(begin // self._plan.block)
            if self.is_whole:
                self._arrival.finish()
                self._diary.completed()
                self._end_if_done()
        except EndError as error:
            if not self._ended.done():
                self._ended.set_exception(error)

    def _pass_on(self, index: int) -> None:
        if self._own_count < len(self._own_stream) and self._own_stream[self._own_count] == index:
            self._own_count += 1
            for sink in self._sinks.values():
                sink.release(self._own_count)

    def _end_if_done(self) -> None:
        if self.is_whole and all(sink.is_done for sink in self._sinks.values()) and not self._ended.done():
            self._ended.set_result(None)

    def _close(self) -> None:
        self._dialler.close()
        for source in self._sources:
            source.close("we end")
        for sink in self._sinks.values():
            sink.close("we end")
        for pacer in self._pacers.values():
            pacer.close()
        for stranger in self._strangers:
            stranger.leave().close()

    def _make_sink(self, peer: int) -> Sink:
        return Sink(self._blocks(self._who, peer), self._arrival.relayed_from, self._diary, self._end_if_done)

    def _make_pacer(self, peer: int) -> Pacer:
        rate = self._plan.rate_to(peer)
        return Pacer(self._sinks[peer], self._plan.block / rate if rate else 0.0)

    def _make_source(self, sender: int, rng: Random) -> Source:
        return Source(
            self._plan.address(sender),
            self._blocks(sender, self._who),
            lambda have: Hello(self._plan.digest, self._who, have),
            partial(self._came, sender),
            dialler=self._dialler,
            diary=self._diary,
            rng=rng,
        )

    def _blocks(self, sender: int, receiver: int) -> Blocks:
        return Blocks(self._deal.blocks(sender, receiver), self._plan.block, self._plan.length)
