"""A whole trial in virtual time, from a description in plain values: the peers of a swarm, and what becomes of each."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from types import FrameType
from typing import Any, Final, TypeAlias

from contract.events import Left, Level
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.session import Session
from peer.bittorrent.strategies.registry import make_strategy
from peer.bittorrent.wire.bitfield import Bitfield
from peer.simulation.links import AccessLink
from peer.simulation.peer import VirtualPeer
from peer.simulation.swarm import Member, VirtualSwarm, virtual_torrent

Description: TypeAlias = Mapping[str, Any]
LATENCY: Final = 0.001
"""Seconds between hosts whose links add no delay."""
COMPLETE: Final = "complete"
ALL_ENDED: Final = "all ended"
TIME_LIMIT: Final = "time limit"
_STEP: Final = 0.1
"""Virtual seconds between two looks at whether the trial is over."""


@dataclass(frozen=True)
class VirtualTrial:
    """A swarm that distributes a file from its servers to its peers; servers have the file and are not waited for."""

    swarm: VirtualSwarm
    peers: Sequence[VirtualPeer]
    """Those that want the file."""
    arrivals: Mapping[str, float]
    complete: Collection[str]
    """The peers that have everything when they join."""
    time_limit: float

    def run(self, watch: Callable[[], bool]) -> str:
        """Let time pass, and return why the trial ended. `watch` is called after every event, and returns False."""
        while self.swarm.now < self.time_limit:
            self.swarm.run(min(self.swarm.now + _STEP, self.time_limit), stop=watch)
            if all(self._completed(peer) is not None for peer in self.peers):
                return COMPLETE
            if all(self._completed(peer) is not None or peer.has_left for peer in self.peers):
                return ALL_ENDED
        return TIME_LIMIT

    def shares(self) -> list[float]:
        """Return the share of the file that each peer has."""
        return [self._share(peer) for peer in self.peers]

    def results(self) -> list[dict[str, Any]]:
        """Return what became of each peer: times in seconds, bytes of blocks."""
        return [self._result(peer) for peer in self.peers]

    def _completed(self, peer: VirtualPeer) -> float | None:
        """Return when a peer completed: one that has everything at its start completes when it joins."""
        arrival = self.arrivals[peer.name]
        if peer.completed_at is None and peer.name in self.complete and self.swarm.now >= arrival:
            return arrival
        return peer.completed_at

    def _share(self, peer: VirtualPeer) -> float:
        return 1.0 if self._completed(peer) is not None else peer.have_count / self.swarm.info.piece_count

    def _result(self, peer: VirtualPeer) -> dict[str, Any]:
        lives = list(peer.events_of(Left))
        here = peer.session if not peer.session.is_over else None
        return {
            "name": peer.name,
            "joined": self.arrivals[peer.name],
            "completed": self._completed(peer),
            "share": self._share(peer),
            "received": sum(life.received for life in lives) + (here.received_bytes if here else 0),
            "sent": sum(life.sent for life in lives) + (here.sent_bytes if here else 0),
            "left": lives[-1].reason if peer.has_left and lives else None,
        }


def owner_of(frames: Iterable[FrameType], peers: Iterable[VirtualPeer]) -> str:
    """Return which peer's session, or which peer, these frames belong to, the innermost first; empty if none's."""
    names = {id(peer.session): peer.name for peer in peers}
    for frame in frames:
        owner = frame.f_locals.get("self")
        if isinstance(owner, VirtualPeer):
            return owner.name
        if isinstance(owner, Session) and id(owner) in names:
            return names[id(owner)]
    return ""


def make_trial(description: Description, parameters_of: Callable[[Description], Mapping[str, object]]) -> VirtualTrial:
    """Make the swarm; `parameters_of` a described peer are those of its strategy."""
    info = virtual_torrent(
        -(-description["length"] // description["piece_length"]), description["piece_length"], description["length"]
    )
    swarm = VirtualSwarm(
        info,
        seed=description["seed"],
        latency=LATENCY,
        numwant=description["numwant"],
        seeds_meet_seeds=description["seeds_meet_seeds"],
        announce_interval=description["announce_interval"],
        level=Level.SUMMARY,
    )
    described = description["peers"]
    for each in described:
        swarm.admit(_member(each, info.piece_count, parameters_of(each)))
    wanting = [each for each in described if not each["is_server"]]
    return VirtualTrial(
        swarm,
        [swarm.peers[each["name"]] for each in wanting],
        {each["name"]: each["arrival"] for each in wanting},
        {each["name"] for each in wanting if each["held"] == 1},
        description["time_limit"],
    )


def _member(described: Description, pieces: int, parameters: Mapping[str, object]) -> Member:
    rng = Random(described["seed"])
    profile = PROFILES[described["profile"]].scaled(described["time_scale"])
    held = Bitfield.drawn(pieces, described["held"], Random(f"pieces {described['seed']}"))
    return Member(
        name=described["name"],
        link=AccessLink(described["up"], described["down"], described["delay"]),
        make=partial(make_strategy, described["strategy"], profile, rng, parameters),
        profile=profile,
        rng=rng,
        have=Bitfield.full(pieces) if described["is_server"] else held,
        at=described["arrival"],
        capacity=described["capacity"],
        moves=described["moves"],
    )
