"""The members of one torrent's swarm, stored so that a random answer costs as much as it holds, not as the swarm does.

A member's place is its address in compact form, 6 bytes; an answer is places joined. The places of leechers and of
seeds are two unordered lists. A member knows its position in its list, so it can be removed by moving the last place
there.
"""

import random
from dataclasses import dataclass, field
from typing import Final

HOST_LENGTH: Final = 4


@dataclass(slots=True, eq=False)
class Member:
    """One peer, as it last announced itself."""

    swarm: "Swarm"
    peer_id: bytes
    place: bytes
    key: str | None
    is_seed: bool
    seen: float
    has_completed: bool = False
    """Whether its completion has been counted, or it was complete when it joined."""
    position: int = field(default=0, repr=False)

    @property
    def host(self) -> bytes:
        """The address without its port."""
        return self.place[:HOST_LENGTH]


class Swarm:
    """The members that share one torrent. Each is in exactly one list; ids and places are unique."""

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
        return len(self._seeds)

    @property
    def incomplete(self) -> int:
        return len(self._leechers)

    def add(self, member: Member) -> None:
        """Add a member whose id and place are not in use."""
        self.by_id[member.peer_id] = member
        self.by_place[member.place] = member
        self._append(member)

    def remove(self, member: Member) -> None:
        self._take_out(member)
        del self.by_id[member.peer_id]
        del self.by_place[member.place]

    def move(self, member: Member, place: bytes) -> None:
        """Change a member's place to one that is not in use."""
        del self.by_place[member.place]
        self._list_of(member)[member.position] = place
        member.place = place
        self.by_place[place] = member

    def set_seed(self, member: Member, *, is_seed: bool) -> None:
        """Move a member to the seeds or the leechers."""
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
        # One more than wanted, in case the asker is drawn; the last one drawn is as random as any other.
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
