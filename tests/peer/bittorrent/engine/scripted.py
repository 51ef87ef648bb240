"""One session and scripted neighbours: tests send what the neighbours send, and read what is sent to them."""

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
from peer.bittorrent.engine.context import Context, Identity, Outbox
from peer.bittorrent.engine.profile import PROFILES, Profile
from peer.bittorrent.engine.session import Session
from peer.bittorrent.engine.strategy import Strategy
from peer.bittorrent.strategies.registry import make_strategy
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.handshake import Handshake, Reserved
from peer.bittorrent.wire.messages import Message
from peer.bittorrent.wire.metainfo.metainfo import Info
from peer.net.address import Address
from peer.simulation.swarm import a_torrent

OUR_ID = b"-TB0100-" + b"o" * 12
PLAIN = Reserved(0)
FAST = Reserved.FAST
ALL = Reserved.FAST | Reserved.EXTENSIONS
SomeEvent = TypeVar("SomeEvent", bound=TraceEvent)


def everything(info: Info) -> Bitfield:
    """All pieces of a torrent."""
    return Bitfield.full(info.piece_count)


class Mind:
    """A session, its clock, its trace, and all its actions."""

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
    ) -> None:
        self.info = info or a_torrent(8, 64 << 10)
        self.now = 100.0
        self.events: list[TraceEvent] = []
        self.done: list[Action] = []
        rng = Random(1)
        context = Context(
            info_hash=self.info.info_hash,
            identities=[Identity(OUR_ID, 6881)],
            profile=profile,
            strategy=strategy or make_strategy("tit-for-tat", profile, rng, parameters or {}),
            rng=rng,
            outbox=Outbox(lambda event, _: self.events.append(event), Level.FULL, self.now),
        )
        self.session = Session(
            context,
            trackers=trackers,
            known=known,
            info=None if is_magnet else self.info,
            have=have,
        )
        self.does(lambda: self.session.start(self.now))

    def does(self, happens: Callable[[], object]) -> list[Action]:
        """Let something happen; returns the actions that follow."""
        happens()
        new = self.session.take_actions()
        self.done += new
        return new

    def wait(self, seconds: float) -> list[Action]:
        """Let time pass, and wake the session at its deadlines."""
        end, new = self.now + seconds, list[Action]()
        while self.session.next_deadline() <= end:
            self.now = max(self.now, self.session.next_deadline())
            new += self.does(lambda: self.session.tick(self.now))
        self.now = end
        return new

    def meet(
        self,
        *said: Message,
        host: str = "198.18.0.9",
        reserved: Reserved = ALL,
        name: str = "them",
        is_outgoing: bool = False,
    ) -> "Them":
        """Let a neighbour connect, shake hands, and send messages."""
        them = self.connect(host=host, is_outgoing=is_outgoing)
        them.shake_hands(reserved=reserved, name=name)
        for message in said:
            them.say(message)
        return them

    def connect(self, *, host: str = "198.18.0.9", is_outgoing: bool = False) -> "Them":
        """Let a neighbour connect."""
        key: int | None = None

        def connect() -> None:
            nonlocal key
            key = self.session.connected(Address(host, 6881), self.now, is_outgoing=is_outgoing)

        self.does(connect)
        assert key is not None
        return Them(self, key)

    def events_of(self, kind: type[SomeEvent]) -> list[SomeEvent]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def errors(self) -> list[str]:
        """The errors in the trace."""
        return [event.what for event in self.events_of(Erred)]


class Them:
    """A neighbour whose messages the test writes."""

    def __init__(self, mind: Mind, key: int) -> None:
        self.mind = mind
        self.key = key

    def shake_hands(
        self,
        *,
        reserved: Reserved = ALL,
        name: str = "them",
        info_hash: bytes | None = None,
        peer_id: bytes | None = None,
    ) -> list[Message]:
        """Send a handshake."""
        theirs = Handshake(info_hash or self.mind.info.info_hash, peer_id or name.encode().ljust(20, b"."), reserved)
        return self._hear(theirs)

    def say(self, message: Message) -> list[Message]:
        """Send a message; returns what is sent to this neighbour at once."""
        return self._hear(message)

    def hears(self) -> list[Message]:
        """All messages to this neighbour so far."""
        return self._of(self.mind.done)

    def hears_in(self, seconds: float) -> list[Message]:
        """The messages to this neighbour while time passes."""
        return self._of(self.mind.wait(seconds))

    @property
    def is_gone(self) -> bool:
        """Whether the connection was closed."""
        return actions.Close in {type(each) for each in self.mind.done if getattr(each, "neighbour", None) == self.key}

    @property
    def why_gone(self) -> str:
        """Why the connection was closed, by the trace."""
        (reason,) = [event.reason for event in self.mind.events_of(Disconnected) if event.neighbour == self.key]
        return reason

    def _hear(self, event: Handshake | Message) -> list[Message]:
        return self._of(self.mind.does(lambda: self.mind.session.message_received(self.key, event, self.mind.now)))

    def _of(self, done: list[Action]) -> list[Message]:
        return [each.message for each in done if isinstance(each, actions.Send) and each.neighbour == self.key]
