"""One program of the fluid scheme, the server or a peer: what arrives, and what is passed on.

    server    releases to each peer the blocks of the peer's stream and of the direct stream, by the clock
    peer      releases a block of its own stream to all other peers once it has arrived and is right

The server's clock runs a little faster than the rates (`Plan.excess`). So the links are the limit, and a late start is
made up for. Yet no stream gets far ahead of another: by T x excess in a file that takes the time T.
"""

import asyncio
import socket
from functools import partial
from random import Random
from typing import Final

from contract.programs import READY
from peer.distribution.content import Arrival
from peer.distribution.fluid.connections import (
    Blocks,
    Hello,
    Newcomer,
    Pacer,
    Sink,
    Source,
)
from peer.distribution.fluid.plan import SERVER, Deal, Plan
from peer.net.address import Address
from peer.net.dialler import Dialler
from peer.net.listener import Listener
from peer.process.exit_status import ProgramError
from peer.trace.recorder import TraceRecorder

MOST_NEWCOMERS: Final = 64
_DIAL_TIMEOUT: Final = 3.0


class Relay:
    """All connections of a program."""

    def __init__(self, plan: Plan, who: int, recorder: TraceRecorder, rng: Random, arrival: Arrival) -> None:
        self._plan: Final = plan
        self._who: Final = who
        self._recorder: Final = recorder
        self._arrival: Final = arrival
        self._deal: Final = Deal(plan)
        self._ended: Final[asyncio.Future[None]] = asyncio.get_running_loop().create_future()
        self._newcomers: Final[set[Newcomer]] = set()
        self._dialler: Final = Dialler(plan.address(who).host, _DIAL_TIMEOUT, asyncio.get_running_loop())
        self._own_stream: Final = self._deal.stream(who)
        self._own_count = 0
        self.have_count = plan.block_count if who == SERVER else 0
        self._sinks: Final = {peer: self._make_sink(peer) for peer in plan.others(who) if peer != SERVER}
        self._pacers: Final = {peer: self._make_pacer(peer) for peer in self._sinks if who == SERVER}
        self._sources: Final = [self._make_source(sender, rng) for sender in plan.others(who)]

    @property
    def is_whole(self) -> bool:
        return self.have_count == self._plan.block_count

    async def run(self, bound: socket.socket) -> None:
        """Take part until all blocks are here, and every other program has its part from us."""
        listener = Listener(bound, asyncio.get_running_loop(), self._accept)
        print(f"{READY} {Address(*bound.getsockname())}", flush=True)
        try:
            for source in self._sources:
                source.start()
            self._end_if_done()
            await self._ended
        finally:
            listener.close()
            self._close()

    def introduced(self, newcomer: Newcomer, hello: Hello) -> None:
        """Attach the connection to the sink of the peer that it says it is."""
        if problem := self._objection(newcomer.address, hello):
            self.dismissed(newcomer, problem)
            return
        self._newcomers.discard(newcomer)
        self._sinks[hello.who].attach(newcomer.hand_over(), newcomer.address, hello.have)
        if self._who == SERVER:
            self._pacers[hello.who].begin(hello.have)

    def dismissed(self, newcomer: Newcomer, reason: str) -> None:
        """Close a connection that is not a peer's."""
        self._recorder.failed(f"connection from {newcomer.address} refused: {reason}")
        self._newcomers.discard(newcomer)
        newcomer.hand_over().close()

    def _objection(self, address: Address, hello: Hello) -> str:
        if hello.plan != self._plan.digest:
            return "it has another plan"
        if hello.who not in self._sinks or address.host != self._plan.address(hello.who).host:
            return f"it is not peer {hello.who}"
        blocks = self._sinks[hello.who].block_count
        return "" if hello.have < blocks else f"it already has {hello.have} of {blocks} blocks"

    def _accept(self, connected: socket.socket, address: Address) -> None:
        if len(self._newcomers) < MOST_NEWCOMERS + len(self._sinks):
            self._newcomers.add(Newcomer(connected, address, self))
        else:
            connected.close()

    def _arrived(self, sender: int, begin: int, data: memoryview) -> None:
        """Take a block; one of our own stream is passed on at once."""
        try:
            self._arrival.arrived(begin, data)
            self.have_count += 1
            if sender == SERVER:
                self._pass_on(begin // self._plan.block)
            if self.is_whole:
                self._arrival.finish()
                self._recorder.completed()
                self._end_if_done()
        except ProgramError as error:
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
            source.close("ending")
        for sink in self._sinks.values():
            sink.close("ending")
        for pacer in self._pacers.values():
            pacer.close()
        for newcomer in self._newcomers:
            newcomer.hand_over().close()

    def _make_sink(self, peer: int) -> Sink:
        return Sink(self._blocks(self._who, peer), self._arrival.relayed_from, self._recorder, self._end_if_done)

    def _make_pacer(self, peer: int) -> Pacer:
        rate = self._plan.rate_to(peer)
        return Pacer(self._sinks[peer], self._plan.block / rate if rate else 0.0)

    def _make_source(self, sender: int, rng: Random) -> Source:
        return Source(
            self._plan.address(sender),
            self._blocks(sender, self._who),
            lambda have: Hello(self._plan.digest, self._who, have),
            partial(self._arrived, sender),
            dialler=self._dialler,
            recorder=self._recorder,
            rng=rng,
        )

    def _blocks(self, sender: int, receiver: int) -> Blocks:
        return Blocks(self._deal.blocks(sender, receiver), self._plan.block, self._plan.length)
