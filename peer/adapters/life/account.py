"""From what a client says of itself, look after look, to the events of a trace."""

from typing import Final

from contract.events import Joined, Opened
from contract.programs import TOGETHER
from peer.adapters.adapter import Neighbour, State
from peer.adapters.life.interface import Carried, carried
from peer.bittorrent.wire.metainfo.metainfo import Info
from peer.trace.recorder import TraceRecorder

_NOT_LISTED: Final = "the client lists it no longer"


class Account:
    """What has been recorded of a client, so that the next look records only what is new."""

    def __init__(self, info: Info, recorder: TraceRecorder, *, counts_go_on: bool = False) -> None:
        self._info: Final = info
        self._recorder: Final = recorder
        self._counts_go_on: Final = counts_go_on
        self._last_of_host: dict[str, Neighbour] = {}
        """The last state of any connection with a host, if counts go on from one to the next."""
        self._open: dict[str, tuple[int, Neighbour]] = {}
        """The number and the last state of each connection, by its address."""
        self._before = Carried()
        """What the host's interface had carried when the client joined."""
        self.last = State(is_complete=False)
        self.has_completed = False

    def joined(self, name: str, port: int, *, is_seed: bool) -> None:
        """Record that the client joined. Clients do not tell their peer id, so the trace has their name."""
        info, count = self._info, self.piece_count
        self._recorder.record(Joined(name, info.info_hash.hex(), port))
        self._recorder.record(Opened(info.name, info.length, info.piece_length, count, count if is_seed else 0))
        self._before = carried()
        self.has_completed = is_seed

    def take(self, state: State) -> None:
        """Record what has changed since the last look; a leech completes once."""
        self.last = state
        self._recorder.wasted = state.wasted or 0
        if state.neighbours is not None:
            self._take_neighbours({each.address: each for each in state.neighbours})
        self._take_rest(state)
        if state.is_complete and not self.has_completed:
            self.has_completed = True
            self._recorder.flush()
            self._recorder.completed()

    @property
    def piece_count(self) -> int:
        """The number of pieces of the torrent."""
        return self._info.piece_count

    @property
    def have_count(self) -> int:
        """How many pieces the client has; the last one is shorter than the others."""
        return self.piece_count if self.last.is_complete else self.last.have // self._info.piece_length

    def _totals(self, state: State) -> Carried:
        if state.received is not None and state.sent is not None:
            return Carried(state.received, state.sent)
        now, before = carried(), self._before
        return Carried(now.received - before.received, now.sent - before.sent)

    def _take_neighbours(self, listed: dict[str, Neighbour]) -> None:
        for address, (key, before) in list(self._open.items()):
            after = listed.get(address)
            if after is None or after.received < before.received or after.sent < before.sent:
                self._recorder.disconnected(key, _NOT_LISTED, by_us=False)
                del self._open[address]
        for address, after in listed.items():
            self._take_neighbour(address, after)

    def _take_neighbour(self, address: str, after: Neighbour) -> None:
        if address in self._open:
            key, before = self._open[address]
        else:
            key = self._recorder.connected(address, is_outgoing=after.is_outgoing)
            before = self._at_first(after)
        received, sent = after.received - before.received, after.sent - before.sent
        if received or sent:
            self._recorder.moved(key, received=received, sent=sent)
        self._open[address] = key, after
        if self._counts_go_on:
            self._last_of_host[_host_of(after)] = after

    def _at_first(self, listed: Neighbour) -> Neighbour:
        """Return with which counts a connection began, that is listed for the first time.

        Where counts go on, its own first bytes cannot be told from the last ones of the connection before, which were
        recorded as nobody's; so these are too.
        """
        last = self._last_of_host.get(_host_of(listed))
        if last is not None and listed.received >= last.received and listed.sent >= last.sent:
            return listed
        return Neighbour(listed.address, listed.is_outgoing, 0, 0)

    def _take_rest(self, state: State) -> None:
        """Record the bytes that no neighbour accounts for: of connections that ended between two looks, or of all."""
        totals = self._totals(state)
        received = max(0, totals.received - self._recorder.received)
        sent = max(0, totals.sent - self._recorder.sent)
        if received or sent:
            self._recorder.moved(TOGETHER, received=received, sent=sent)


def _host_of(neighbour: Neighbour) -> str:
    return neighbour.address.rpartition(":")[0]
