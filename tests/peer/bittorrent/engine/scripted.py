"""One mind and scripted neighbours: tests say what the neighbours say, and read what they are told."""

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
from peer.bittorrent.engine.connections.identities import Identity
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
    """A session, its clock, and all that it did."""

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
        self.facts: list[TraceEvent] = []
        self.done: list[Action] = []
        rng = Random(1)
        self.session = Session(
            info_hash=self.info.info_hash,
            identities=[Identity(OUR_ID, 6881)],
            profile=profile,
            strategy=strategy or make_strategy("tit-for-tat", profile, rng, parameters or {}),
            rng=rng,
            now=self.now,
            tell=lambda fact, _: self.facts.append(fact),
            level=Level.FULL,
            trackers=trackers,
            known=known,
            info=None if is_magnet else self.info,
            have=have,
        )
        self.does(lambda: self.session.start(self.now))

    def does(self, happens: Callable[[], object]) -> list[Action]:
        """Let something happen; returns what the mind does about it."""
        happens()
        new = self.session.take_actions()
        self.done += new
        return new

    def wait(self, seconds: float) -> list[Action]:
        """Let time pass, waking the mind when it wants to be."""
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
        """Let somebody connect, shake hands, and say something."""
        them = self.connect(host=host, is_outgoing=is_outgoing)
        them.shake_hands(reserved=reserved, name=name)
        for message in said:
            them.say(message)
        return them

    def connect(self, *, host: str = "198.18.0.9", is_outgoing: bool = False) -> "Them":
        """Let somebody connect."""
        key: int | None = None

        def connect() -> None:
            nonlocal key
            key = self.session.connected(Address(host, 6881), self.now, is_outgoing=is_outgoing)

        self.does(connect)
        assert key is not None
        return Them(self, key)

    def told(self, kind: type[SomeEvent]) -> list[SomeEvent]:
        """The facts of one kind."""
        return [fact for fact in self.facts if isinstance(fact, kind)]

    @property
    def errors(self) -> list[str]:
        """What went wrong so far."""
        return [fact.what for fact in self.told(Erred)]


class Them:
    """A neighbour whose lines the test writes."""

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
        """Send the first 68 bytes."""
        theirs = Handshake(info_hash or self.mind.info.info_hash, peer_id or name.encode().ljust(20, b"."), reserved)
        return self._hear(theirs)

    def say(self, message: Message) -> list[Message]:
        """Say something; returns what this neighbour is told at once."""
        return self._hear(message)

    def hears(self) -> list[Message]:
        """Everything that this neighbour was told so far."""
        return self._of(self.mind.done)

    def hears_in(self, seconds: float) -> list[Message]:
        """What this neighbour is told while time passes."""
        return self._of(self.mind.wait(seconds))

    @property
    def is_gone(self) -> bool:
        """Whether the connection was closed."""
        return actions.Close in {type(each) for each in self.mind.done if getattr(each, "neighbour", None) == self.key}

    @property
    def why_gone(self) -> str:
        """The reason in the trace."""
        (reason,) = [fact.reason for fact in self.mind.told(Disconnected) if fact.neighbour == self.key]
        return reason

    def _hear(self, event: Handshake | Message) -> list[Message]:
        return self._of(self.mind.does(lambda: self.mind.session.received(self.key, event, self.mind.now)))

    def _of(self, done: list[Action]) -> list[Message]:
        return [each.message for each in done if isinstance(each, actions.Send) and each.neighbour == self.key]
