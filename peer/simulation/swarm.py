"""Swarms in virtual time: real sessions, a real tracker's registry, and a network of arithmetic.

The same swarm with the same seed gives the same traces, byte for byte.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Final

from contract.events import Level
from peer.bittorrent.engine.context import Context, Identity, Outbox
from peer.bittorrent.engine.profile import PROFILES, Profile
from peer.bittorrent.engine.session import Session
from peer.bittorrent.engine.strategy import Departure, Strategy
from peer.bittorrent.strategies.registry import make_strategy
from peer.bittorrent.tracker.registry import Policy, Registry
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.metainfo.metainfo import Info, make_info
from peer.bittorrent.wire.peer_id import make_peer_id
from peer.net.address import Address
from peer.simulation.agenda import Agenda
from peer.simulation.links import AccessLink
from peer.simulation.network import Network
from peer.simulation.peer import PORT, Place, VirtualPeer

TRACKER: Final = "http://198.18.0.1/announce"
ANNOUNCE_INTERVAL: Final = Policy().interval
"""Seconds."""


def virtual_torrent(pieces: int, piece_length: int = 16 << 10, length: int | None = None) -> Info:
    """Make a torrent without content: virtual peers check no hashes. By default, the last piece is a whole one."""
    return make_info("virtual", length or pieces * piece_length, piece_length, [bytes(20)] * pieces)


@dataclass(frozen=True, kw_only=True)
class Member:
    """A peer of a swarm; times in seconds."""

    name: str
    link: AccessLink
    make: Callable[[], Strategy]
    """Makes its strategy, with `rng`."""
    profile: Profile
    rng: Random
    have: Bitfield | None = None
    """Its pieces when it joins."""
    at: float = 0.0
    """When it joins."""
    capacity: float | None = None
    """Its upload in bytes/s as its client knows it."""
    corrupts: bool = False
    """Whether every block that it sends is wrong."""
    moves: bool = False
    """Whether it has another address after an absence."""


class VirtualSwarm:
    """Peers that find each other by a tracker."""

    def __init__(
        self,
        info: Info,
        *,
        seed: int = 1,
        latency: float = 0.01,
        profile: Profile | str = "course",
        numwant: int = 50,
        seeds_meet_seeds: bool = True,
        announce_interval: int = ANNOUNCE_INTERVAL,
        level: Level = Level.PIECES,
    ) -> None:
        self.info = info
        self.peers: dict[str, VirtualPeer] = {}
        self._seed = seed
        self._profile = PROFILES[profile] if isinstance(profile, str) else profile
        self._level = level
        self._agenda = Agenda()
        policy = Policy(
            interval=announce_interval,
            default_numwant=numwant,
            most_numwant=numwant,
            seeds_meet_seeds=seeds_meet_seeds,
        )
        registry = Registry(policy, Random(seed))
        self._network: Network[VirtualPeer] = Network(self._agenda, latency, registry)
        self._completions = 0

    @property
    def now(self) -> float:
        return self._agenda.now

    def add(
        self,
        name: str,
        *,
        up: float | None = None,
        down: float | None = None,
        have: Bitfield | None = None,
        is_seed: bool = False,
        strategy: Strategy | str = "tit-for-tat",
        profile: Profile | None = None,
        at: float = 0.0,
        corrupts: bool = False,
        **parameters: object,
    ) -> VirtualPeer:
        """Let a peer join at a time; with `corrupts`, every block that it sends is wrong."""
        rng, its_profile = Random(f"{self._seed} {name}"), profile or self._profile
        named = partial(make_strategy, rng=rng, profile=its_profile, parameters=parameters)
        member = Member(
            name=name,
            link=AccessLink(up, down),
            make=partial(named, strategy) if isinstance(strategy, str) else lambda: strategy,
            profile=its_profile,
            rng=rng,
            have=Bitfield.full(self.info.piece_count) if is_seed else have,
            at=at,
            capacity=up,
            corrupts=corrupts,
        )
        return self.admit(member)

    def admit(self, member: Member) -> VirtualPeer:
        """Let a peer join at its time."""
        address = self._next_address()
        place = Place(address, member.link, self._next_address(1) if member.moves else None)
        peer = VirtualPeer(
            member.name,
            place,
            self._network,
            self.info,
            is_corrupt=member.corrupts,
            on_complete=self._count_completion,
        )
        self.peers[member.name] = peer
        for each in filter(None, (place.address, place.return_address)):
            self._network.peers_by_host[each.host] = peer
        peer.begin(self._session_maker(peer, member), member.have)
        self.call_at(member.at, peer.start)
        return peer

    def run(self, until: float, *, stop: Callable[[], bool] | None = None) -> float:
        """Let time pass, to a time or until `stop` is true; returns the time then."""
        return self._agenda.run(until, stop)

    def run_until_all_complete(self, limit: float = 10_000) -> float:
        """Let time pass until all peers that are here have all pieces."""
        while self._agenda and self.now <= limit:
            self.run(limit, stop=partial(self._has_completed_more_than, self._completions))
            if all(peer.session.is_complete for peer in self.peers.values() if peer.is_here):
                break
        return self.now

    def leave(self, name: str) -> None:
        """Let a peer leave: it announces that to the tracker, and closes its connections."""
        peer = self.peers[name]
        peer.session.leave("asked to", self.now)
        peer.act()

    def vanish(self, name: str) -> None:
        """Cut a peer off; its neighbours notice that their connections are gone."""
        self.peers[name].vanish("reset")

    def call_at(self, when: float, do: Callable[[], None]) -> None:
        self._agenda.call_at(when, do)

    def _next_address(self, further: int = 0) -> Address:
        number = len(self._network.peers_by_host) + further
        return Address(f"198.18.{number // 250}.{number % 250 + 2}", PORT)

    def _session_maker(self, peer: VirtualPeer, member: Member) -> Callable[[Bitfield | None], Session]:
        """A peer that comes back begins again with all parts of its strategy but the departure."""
        departures: list[Departure] = []
        rng = member.rng

        def make_session(have: Bitfield | None) -> Session:
            strategy = member.make()
            departures.append(strategy.departure)
            context = Context(
                info_hash=self.info.info_hash,
                identities=[Identity(make_peer_id(rng), PORT + identity) for identity in range(strategy.identities)],
                profile=member.profile,
                strategy=replace(strategy, departure=departures[0]),
                rng=rng,
                outbox=Outbox(peer.record, self._level, max(member.at, self.now)),
                capacity=member.capacity,
            )
            return Session(context, trackers=((TRACKER,),), info=self.info, have=have)

        return make_session

    def _count_completion(self) -> None:
        self._completions += 1

    def _has_completed_more_than(self, before: int) -> bool:
        return self._completions > before
