"""Who is in which swarm, by the rules of one policy: no sockets, no clock, no random source of its own.

A member is known by its peer id and its place (host and port), both unique in a swarm:

- A peer id in use is accepted from another host only with the key that it announced before. Peer ids are public: every
  neighbour sees them, and could otherwise redirect that peer or announce that it stopped. The key is known to the
  tracker alone. From the same host no key is needed, since the connection proves the host.
- Another peer id at a member's place replaces that member: two programs cannot listen there, so the older one is gone.

Memory is limited (torrents, peers), and so is the work of one call, however many peers expire at once.
"""

import random
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from peer.bittorrent.tracker.swarm import HOST_LENGTH, Member, Swarm
from peer.bittorrent.wire.compact import unpack
from peer.bittorrent.wire.tracker.messages import (
    AnnounceRequest,
    AnnounceResponse,
    Event,
    Failure,
    Peer,
    ScrapeEntry,
    ScrapeResponse,
)
from peer.errors import WireError
from peer.net.address import pack_host

MOST_EXPIRED_AT_ONCE: Final = 100
"""Peers that one call removes; a call adds at most one, so removal catches up."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of a tracker; times in seconds."""

    interval: int = 1800
    min_interval: int = 30
    """Sent to clients, never enforced: an early announcement is answered like any other."""
    lifetime: float = 3660
    """A peer that was silent for so long has expired: two intervals and a minute."""
    default_numwant: int = 50
    most_numwant: int = 50
    seeds_meet_seeds: bool = True
    """Whether seeds get seeds, too. Some clients announce that nothing is left as long as they have only a magnet link,
    and would never find the seeds."""
    believes_ip: bool = False
    """Take the `ip` that a client states as its address. Anyone can then direct a swarm at any host."""
    allowed: frozenset[bytes] | None = None
    """The only info-hashes served; None serves all."""
    most_torrents: int = 10_000
    most_peers: int = 100_000
    most_scraped: int = 1_000


class Kind(StrEnum):
    """What can happen to a member."""

    STARTED = "started"
    COMPLETED = "completed"
    STOPPED = "stopped"
    EXPIRED = "expired"
    MOVED = "moved"
    REPLACED = "replaced"


class Change(NamedTuple):
    """Something that happened to a member, whose place and role are those after it."""

    kind: Kind
    now: float
    member: Member


class _RefusedError(Exception):
    """The announcement breaks a rule; the message is for people."""


class Registry:
    """All the swarms of a tracker."""

    def __init__(self, policy: Policy, rng: random.Random, report: Callable[[Change], None] | None = None) -> None:
        self.policy = policy
        self._rng = rng
        self._report_change = report
        self._swarms: dict[bytes, Swarm] = {}
        self._empty: OrderedDict[bytes, None] = OrderedDict()
        """Swarms kept for their download counts until others need the room, the longest empty first."""
        self._by_age: OrderedDict[Member, None] = OrderedDict()
        """All members, the longest silent first."""

    @property
    def torrent_count(self) -> int:
        """The number of known torrents, including swarms without members."""
        return len(self._swarms)

    @property
    def peer_count(self) -> int:
        return len(self._by_age)

    def announce(self, request: AnnounceRequest, host: bytes, now: float) -> AnnounceResponse | Failure:
        """Answer an announcement from `host` (4 bytes)."""
        self.expire(now)
        try:
            return self._announce(request, self._place(request, host), now)
        except _RefusedError as refusal:
            return Failure(str(refusal))

    def scrape(self, info_hashes: Iterable[bytes], now: float) -> ScrapeResponse | Failure:
        """Count the named swarms, or all if none is named; unknown ones are left out."""
        self.expire(now)
        wanted = list(info_hashes) or list(self._swarms)
        if len(wanted) > self.policy.most_scraped:
            return Failure(f"scrape at most {self.policy.most_scraped} torrents at once, and name them")
        found = ((info_hash, self._swarms.get(info_hash)) for info_hash in wanted)
        return ScrapeResponse({info_hash: _count(swarm) for info_hash, swarm in found if swarm is not None})

    def expire(self, now: float) -> None:
        """Remove members that were silent for too long, a limited number of them."""
        latest = now - self.policy.lifetime
        for _ in range(MOST_EXPIRED_AT_ONCE):
            oldest = next(iter(self._by_age), None)
            if oldest is None or oldest.seen > latest:
                return
            self._drop(oldest, Kind.EXPIRED, now)

    def _place(self, request: AnnounceRequest, host: bytes) -> bytes:
        if self.policy.believes_ip and request.ip is not None:
            try:
                host = pack_host(request.ip)
            except WireError as error:
                raise _RefusedError(f"ip: {error}") from error
        return host + request.port.to_bytes(2, "big")

    def _announce(self, request: AnnounceRequest, place: bytes, now: float) -> AnnounceResponse:
        if self.policy.allowed is not None and request.info_hash not in self.policy.allowed:
            raise _RefusedError("this tracker does not serve this torrent")
        swarm = self._swarms.get(request.info_hash) or Swarm(request.info_hash)
        member = _rightful_member(swarm, request, place)
        if request.event is Event.STOPPED:
            if member is not None:
                self._drop(member, Kind.STOPPED, now)
            return self._answer(swarm)
        if request.port:  # A peer that cannot be reached is answered, not listed.
            self._update(swarm, member, request, place, now)
        return self._answer(swarm, self._peers(swarm, request, place))

    def _update(self, swarm: Swarm, member: Member | None, request: AnnounceRequest, place: bytes, now: float) -> None:
        rival = swarm.by_place.get(place)
        if rival is not member and rival is not None:
            self._drop(rival, Kind.REPLACED, now)
        if member is None:
            member = self._join(swarm, request, place, now)
        else:
            self._refresh(member, request, place, now)
        if request.event is Event.COMPLETED and not member.has_completed:
            member.has_completed = True
            swarm.downloaded += 1
            self._report(Kind.COMPLETED, now, member)
        member.has_completed |= member.is_seed

    def _join(self, swarm: Swarm, request: AnnounceRequest, place: bytes, now: float) -> Member:
        if len(self._by_age) >= self.policy.most_peers:
            raise _RefusedError("this tracker has as many peers as it can hold; try again later")
        self._make_room_for(swarm)
        member = Member(swarm, request.peer_id, place, _comparable(request.key), request.left == 0, now)
        swarm.add(member)
        self._by_age[member] = None
        self._report(Kind.STARTED, now, member)
        return member

    def _refresh(self, member: Member, request: AnnounceRequest, place: bytes, now: float) -> None:
        member.seen = now
        self._by_age.move_to_end(member)
        member.key = _comparable(request.key) or member.key
        member.swarm.set_seed(member, is_seed=request.left == 0)
        if member.place != place:
            member.swarm.move(member, place)
            self._report(Kind.MOVED, now, member)

    def _make_room_for(self, swarm: Swarm) -> None:
        if swarm.info_hash not in self._swarms:
            if len(self._swarms) >= self.policy.most_torrents:
                self._forget_an_empty_swarm()
            self._swarms[swarm.info_hash] = swarm
        self._empty.pop(swarm.info_hash, None)

    def _forget_an_empty_swarm(self) -> None:
        if not self._empty:
            raise _RefusedError("this tracker has as many torrents as it can hold; try again later")
        info_hash, _ = self._empty.popitem(last=False)
        del self._swarms[info_hash]

    def _drop(self, member: Member, kind: Kind, now: float) -> None:
        swarm = member.swarm
        swarm.remove(member)
        del self._by_age[member]
        if not swarm.by_id:
            self._empty[swarm.info_hash] = None
        self._report(kind, now, member)

    def _report(self, kind: Kind, now: float, member: Member) -> None:
        if self._report_change is not None:
            self._report_change(Change(kind, now, member))

    def _peers(self, swarm: Swarm, request: AnnounceRequest, place: bytes) -> bytes | tuple[Peer, ...]:
        policy = self.policy
        wanted = policy.default_numwant if request.numwant is None else request.numwant
        with_seeds = policy.seeds_meet_seeds or request.left > 0
        places = swarm.pick(min(wanted, policy.most_numwant), place, self._rng, with_seeds=with_seeds)
        packed = b"".join(places)
        if request.compact:
            return packed
        ids = [None if request.no_peer_id else swarm.by_place[place].peer_id for place in places]
        return tuple(map(Peer, unpack(packed), ids))

    def _answer(self, swarm: Swarm, peers: bytes | tuple[Peer, ...] = b"") -> AnnounceResponse:
        policy = self.policy
        return AnnounceResponse(
            interval=policy.interval,
            peers=peers,
            complete=swarm.complete,
            incomplete=swarm.incomplete,
            min_interval=policy.min_interval,
        )


def _rightful_member(swarm: Swarm, request: AnnounceRequest, place: bytes) -> Member | None:
    """Return the member that announces itself; refuse an announcement in another's name."""
    member = swarm.by_id.get(request.peer_id)
    if member is not None and member.host != place[:HOST_LENGTH]:
        key = _comparable(request.key)
        if key is None or key != member.key:
            raise _RefusedError("this peer id is in use at another address; announce it with the key it had there")
    return member


def _comparable(key: str | None) -> str | None:
    """Normalise a key: clients differ in case and leading zeros, and over UDP zero means none."""
    return (key.lower().lstrip("0") or None) if key else None


def _count(swarm: Swarm) -> ScrapeEntry:
    return ScrapeEntry(swarm.complete, swarm.downloaded, swarm.incomplete)
