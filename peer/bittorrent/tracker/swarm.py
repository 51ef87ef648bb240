"""The members of one torrent's swarm, kept so that a random answer costs what it holds and not what the swarm does.

A member's place is its address in compact form, 6 bytes: an answer is the places joined. The places of leechers and
of seeds stand in two lists in no order; a member knows where in its list it stands, so that it can be taken out by
moving the last one there.
"""

import random
from dataclasses import dataclass, field
from typing import Final

HOST_LENGTH: Final = 4


@dataclass(slots=True, eq=False)
class Member:
    """One peer as it announced itself last."""

    swarm: "Swarm"
    peer_id: bytes
    place: bytes
    key: str | None
    is_seed: bool
    seen: float
    has_completed: bool = False
    """Whether its completion is counted already, or it had everything when it came."""
    position: int = field(default=0, repr=False)

    @property
    def host(self) -> bytes:
        """The address without its port."""
        return self.place[:HOST_LENGTH]


class Swarm:
    """Who shares one torrent. Every member is in exactly one list, has its own id and its own place."""

    __slots__ = ("_leechers", "_seeds", "by_id", "by_place", "downloaded", "info_hash")

    def __init__(self, info_hash: bytes) -> None:
        self.info_hash = info_hash
        self.downloaded = 0
        self.by_id: dict[bytes, Member] = {}
        self.by_place: dict[bytes, Member] = {}
        self._leechers: list[bytes] = []
        self._seeds: list[bytes] = []

    @property
    def complete(self) -> int:
        """How many have everything."""
        return len(self._seeds)

    @property
    def incomplete(self) -> int:
        """How many do not."""
        return len(self._leechers)

    def add(self, member: Member) -> None:
        """Take in a member whose id and place are nobody's yet."""
        self.by_id[member.peer_id] = member
        self.by_place[member.place] = member
        self._append(member)

    def remove(self, member: Member) -> None:
        """Let a member go."""
        self._take_out(member)
        del self.by_id[member.peer_id]
        del self.by_place[member.place]

    def move(self, member: Member, place: bytes) -> None:
        """Note that a member listens elsewhere now, at a place that is nobody's yet."""
        del self.by_place[member.place]
        self._list_of(member)[member.position] = place
        member.place = place
        self.by_place[place] = member

    def turn(self, member: Member, *, is_seed: bool) -> None:
        """Note whether a member has everything."""
        if member.is_seed is not is_seed:
            self._take_out(member)
            member.is_seed = is_seed
            self._append(member)

    def pick(self, wanted: int, asker: bytes, rng: random.Random, *, with_seeds: bool) -> list[bytes]:
        """Choose the places of members, every set of `wanted` members with equal chance, without the asker's."""
        leechers = self._leechers
        seeds = self._seeds if with_seeds else []
        boundary = len(leechers)
        total = boundary + len(seeds)
        # One more than wanted, in case the asker is drawn; who is drawn last is as random as any other.
        drawn = rng.sample(range(total), min(wanted + 1, total))
        places = [leechers[index] if index < boundary else seeds[index - boundary] for index in drawn]
        if asker in places:
            places.remove(asker)
        return places[:wanted]

    def _list_of(self, member: Member) -> list[bytes]:
        return self._seeds if member.is_seed else self._leechers

    def _append(self, member: Member) -> None:
        places = self._list_of(member)
        member.position = len(places)
        places.append(member.place)

    def _take_out(self, member: Member) -> None:
        places = self._list_of(member)
        last = places.pop()
        if member.position < len(places):
            places[member.position] = last
            self.by_place[last].position = member.position
