"""One session and scripted neighbours: a test writes the neighbours' messages and reads those sent to them."""

from collections.abc import Callable, Iterable
from random import Random
from typing import TypeVar

from contract.events import (
    Disconnected,
    Erred,
    Level,
    TraceEvent,
)
from peer.bittorrent.engine import actions
from peer.bittorrent.engine.actions import Action
from peer.bittorrent.engine.context import Context, DhtUse, Identity, Outbox
from peer.bittorrent.engine.profile import PROFILES, Profile
from peer.bittorrent.engine.session import Session
from peer.bittorrent.engine.strategy import Strategy
from peer.bittorrent.strategies.registry import make_strategy
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.handshake import Handshake, Reserved
from peer.bittorrent.wire.messages import Message
from peer.bittorrent.wire.metainfo.metainfo import Info
from peer.net.address import Address
from peer.simulation.swarm import virtual_torrent

OUR_ID = b"-TB0100-" + b"o" * 12
PLAIN = Reserved(0)
FAST = Reserved.FAST
ALL = Reserved.FAST | Reserved.EXTENSIONS
SomeEvent = TypeVar("SomeEvent", bound=TraceEvent)


def everything(info: Info) -> Bitfield:
    return Bitfield.full(info.piece_count)


class SessionHarness:
    """A session with its clock, its trace and all its actions so far."""

    def __init__(
        self,
        info: Info | None = None,
        *,
        have: Bitfield | None = None,
        is_magnet: bool = False,
        profile: Profile = PROFILES["course"],
        strategy: Strategy | None = None,
        parameters: dict[str, object] | None = None,
        trackers: tuple[tuple[str, ...], ...] = (),
        known: Iterable[Address] = (),
        dht: DhtUse | None = None,
    ) -> None:
        self.info = info or virtual_torrent(8, 64 << 10)
        self.now = 100.0
        self.events: list[TraceEvent] = []
        self.actions: list[Action] = []
        rng = Random(1)
        strategy = strategy or make_strategy("tit-for-tat", profile, rng, parameters or {})
        self.identities = strategy.identities
        context = Context(
            info_hash=self.info.info_hash,
            identities=[Identity(OUR_ID[:-1] + bytes([OUR_ID[-1] + k]), 6881 + k) for k in range(strategy.identities)],
            profile=profile,
            strategy=strategy,
            rng=rng,
            outbox=Outbox(lambda event, _: self.events.append(event), Level.FULL, self.now),
            dht=dht,
        )
        self.session = Session(
            context,
            trackers=trackers,
            known=known,
            info=None if is_magnet else self.info,
            have=have,
        )
        self.actions_after(lambda: self.session.start(self.now))

    def actions_after(self, make_input: Callable[[], object]) -> list[Action]:
        """Give the session an input; return the actions that follow."""
        make_input()
        new = self.session.take_actions()
        self.actions += new
        return new

    def wait(self, seconds: float) -> list[Action]:
        """Advance the clock, and wake the session at its deadlines; return the actions that follow."""
        end, new = self.now + seconds, list[Action]()
        while self.session.next_deadline() <= end:
            self.now = max(self.now, self.session.next_deadline())
            new += self.actions_after(lambda: self.session.tick(self.now))
        self.now = end
        return new

    def add_neighbour(
        self,
        *messages: Message,
        host: str = "198.18.0.9",
        reserved: Reserved = ALL,
        name: str = "neighbour",
        is_outgoing: bool = False,
    ) -> "ScriptedNeighbour":
        """Let a neighbour connect, shake hands and send messages."""
        neighbour = self.connect(host=host, is_outgoing=is_outgoing)
        neighbour.shake_hands(reserved=reserved, name=name)
        for message in messages:
            neighbour.send(message)
        return neighbour

    def connect(self, *, host: str = "198.18.0.9", is_outgoing: bool = False) -> "ScriptedNeighbour":
        """Let a neighbour connect; it has not sent its handshake yet."""
        key: int | None = None

        def connect() -> None:
            nonlocal key
            key = self.session.connected(Address(host, 6881), self.now, is_outgoing=is_outgoing)

        self.actions_after(connect)
        assert key is not None
        return ScriptedNeighbour(self, key)

    def events_of(self, kind: type[SomeEvent]) -> list[SomeEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def errors(self) -> list[str]:
        """The texts of the errors in the trace."""
        return [event.what for event in self.events_of(Erred)]


class ScriptedNeighbour:
    """A neighbour whose messages a test writes."""

    def __init__(self, harness: SessionHarness, key: int) -> None:
        self.harness = harness
        self.key = key

    def shake_hands(
        self,
        *,
        reserved: Reserved = ALL,
        name: str = "neighbour",
        info_hash: bytes | None = None,
        peer_id: bytes | None = None,
    ) -> list[Message]:
        theirs = Handshake(info_hash or self.harness.info.info_hash, peer_id or name.encode().ljust(20, b"."), reserved)
        return self._deliver(theirs)

    def send(self, message: Message) -> list[Message]:
        """Send a message; return the messages that the session sends back at once."""
        return self._deliver(message)

    def received(self) -> list[Message]:
        """Return all messages to this neighbour so far."""
        return self._messages_in(self.harness.actions)

    def received_within(self, seconds: float) -> list[Message]:
        """Advance the clock; return the messages that this neighbour gets meanwhile."""
        return self._messages_in(self.harness.wait(seconds))

    @property
    def is_disconnected(self) -> bool:
        return actions.Close in {
            type(each) for each in self.harness.actions if getattr(each, "neighbour", None) == self.key
        }

    @property
    def disconnect_reason(self) -> str:
        """The reason in the trace for closing the connection."""
        (reason,) = [event.reason for event in self.harness.events_of(Disconnected) if event.neighbour == self.key]
        return reason

    def _deliver(self, event: Handshake | Message) -> list[Message]:
        return self._messages_in(
            self.harness.actions_after(lambda: self.harness.session.message_received(self.key, event, self.harness.now))
        )

    def _messages_in(self, found: list[Action]) -> list[Message]:
        return [each.message for each in found if isinstance(each, actions.Send) and each.neighbour == self.key]
