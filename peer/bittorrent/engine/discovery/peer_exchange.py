"""Peer exchange (BEP 11): telling neighbours whom else we are connected to, and hearing it from them.

Each message is the difference to what that neighbour was told before, so that all messages together say who is here
now. What comes in is hearsay: it is believed only as often and as long as an honest client would talk, and it is up
to the address book what to make of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Final

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.wire.extensions import PeerExchange, PexFlags, PexPeer
from peer.net.address import Address

MOST_TOLD: Final = 50
"""Added, and as many dropped, in one message: the specification's number."""
MOST_BELIEVED: Final = 100
"""Added, in one message: some clients send more than the specification allows."""
FIRST_AFTER: Final = 2.0
"""Seconds between the moment we know that a neighbour wants such messages and its first one."""
TOLERANCE: Final = 0.75
"""A neighbour may speak a little more often than once in a period."""


@dataclass(slots=True, eq=False)
class _Partner:
    due_at: float
    told: dict[Address, None] = field(default_factory=dict)


def introduction(address: Address | None, *, is_outgoing: bool, is_seed: bool) -> PexPeer | None:
    """Say of a neighbour what others may hear; None if nobody knows where it listens."""
    if address is None:
        return None
    flags = PexFlags.REACHABLE if is_outgoing else PexFlags(0)
    return PexPeer(address, flags | PexFlags.UPLOAD_ONLY if is_seed else flags)


class Exchange:
    """The peer exchange of one client with all its neighbours, known by their keys."""

    def __init__(self, profile: Profile) -> None:
        self._period = profile.exchange_period
        self._partners: dict[int, _Partner] = {}
        self._believed_at: dict[int, float] = {}
        self._next_at = inf
        self.is_private = False
        """The torrent's peers come from its tracker alone (BEP 27): nothing is said, nothing believed."""

    def joined(self, key: int, now: float) -> None:
        """Begin to tell a neighbour, which has said that it wants to hear."""
        due_at = now + min(FIRST_AFTER, self._period)
        self._partners.setdefault(key, _Partner(due_at))
        self._next_at = min(self._next_at, due_at)

    def parted(self, key: int) -> None:
        """Forget a neighbour that is gone, or wants to hear no more."""
        self._partners.pop(key, None)
        self._believed_at.pop(key, None)

    def due(self, present: Mapping[int, PexPeer], now: float) -> list[tuple[int, PeerExchange]]:
        """Return the messages to send now, given all neighbours that may be told of; regards them as sent."""
        if now < self.next_deadline():
            return []
        messages = []
        for key, partner in self._partners.items():
            if partner.due_at <= now:
                partner.due_at = now + self._period
                message = _news(partner, key, present)
                if message is not None:
                    messages.append((key, message))
        self._next_at = min((partner.due_at for partner in self._partners.values()), default=inf)
        return messages

    def heard(self, key: int, message: PeerExchange, now: float) -> list[Address]:
        """Take a neighbour's message; returns the addresses to learn."""
        if self.is_private or now - self._believed_at.get(key, -inf) < TOLERANCE * self._period:
            return []
        self._believed_at[key] = now
        return [peer.address for peer in message.added[:MOST_BELIEVED]]

    def next_deadline(self) -> float:
        """Return when to call `due`."""
        return inf if self.is_private else self._next_at


def _news(partner: _Partner, key: int, present: Mapping[int, PexPeer]) -> PeerExchange | None:
    """Make the message that brings a neighbour up to date, as far as one message can; None if it is already."""
    itself = present[key].address if key in present else None
    here = {peer.address: peer for peer in present.values() if peer.address != itself}
    added = [peer for address, peer in here.items() if address not in partner.told][:MOST_TOLD]
    dropped = [address for address in partner.told if address not in here][:MOST_TOLD]
    if not added and not dropped:
        return None
    for address in dropped:
        del partner.told[address]
    partner.told.update((peer.address, None) for peer in added)
    return PeerExchange(tuple(added), tuple(dropped))
