"""Peer exchange (BEP 11): neighbours send each other the addresses of their other neighbours.

Each message is the difference to what that neighbour was sent before, so that all messages together give the present
neighbours. Received addresses are hearsay: they are taken only as often and as many as an honest client would send, and
the address book decides how to use them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Final

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.wire.extensions import PeerExchange, PexFlags, PexPeer
from peer.net.address import Address

MOST_SENT: Final = 50
"""Added, and as many dropped, in one message: the specification's number."""
MOST_TAKEN: Final = 100
"""Added, in one message: some clients send more than the specification allows."""
FIRST_AFTER: Final = 2.0
"""Seconds from when a neighbour says that it understands such messages until the first one to it."""
TOLERANCE: Final = 0.75
"""A neighbour may send a little more often than once in a period."""


@dataclass(slots=True, eq=False)
class _Partner:
    due_at: float
    sent: dict[Address, None] = field(default_factory=dict)
    """The addresses that it was sent and that were not dropped since."""


def pex_entry(address: Address | None, *, is_outgoing: bool, is_seed: bool) -> PexPeer | None:
    """Make the entry of a neighbour in messages to others; None if it is not known where it listens."""
    if address is None:
        return None
    flags = PexFlags.REACHABLE if is_outgoing else PexFlags(0)
    return PexPeer(address, flags | PexFlags.UPLOAD_ONLY if is_seed else flags)


class PexPartners:
    """The neighbours with which one client exchanges peers, by their keys."""

    def __init__(self, profile: Profile) -> None:
        self._period = profile.exchange_period
        self._partners: dict[int, _Partner] = {}
        self._taken_at: dict[int, float] = {}
        self._next_at = inf
        self.is_private = False
        """The torrent's peers come from its tracker alone (BEP 27): nothing is sent, nothing taken."""

    def add(self, key: int, now: float) -> None:
        """Add a neighbour that understands such messages."""
        due_at = now + min(FIRST_AFTER, self._period)
        self._partners.setdefault(key, _Partner(due_at))
        self._next_at = min(self._next_at, due_at)

    def neighbour_left(self, key: int) -> None:
        self._partners.pop(key, None)
        self._taken_at.pop(key, None)

    def due(self, present: Mapping[int, PexPeer], now: float) -> list[tuple[int, PeerExchange]]:
        """Return the messages that are due, given the entries of all present neighbours; regards them as sent."""
        if now < self.next_deadline():
            return []
        messages = []
        for key, partner in self._partners.items():
            if partner.due_at <= now:
                partner.due_at = now + self._period
                message = _update(partner, key, present)
                if message is not None:
                    messages.append((key, message))
        self._next_at = min((partner.due_at for partner in self._partners.values()), default=inf)
        return messages

    def received(self, key: int, message: PeerExchange, now: float) -> list[Address]:
        """Take a message; returns the addresses to learn."""
        if self.is_private or now - self._taken_at.get(key, -inf) < TOLERANCE * self._period:
            return []
        self._taken_at[key] = now
        return [peer.address for peer in message.added[:MOST_TAKEN]]

    def next_deadline(self) -> float:
        """Return when to call `due`."""
        return inf if self.is_private else self._next_at


def _update(partner: _Partner, key: int, present: Mapping[int, PexPeer]) -> PeerExchange | None:
    """Make the message that brings a neighbour up to date, as far as one message can; None if it is up to date."""
    itself = present[key].address if key in present else None
    here = {peer.address: peer for peer in present.values() if peer.address != itself}
    added = [peer for address, peer in here.items() if address not in partner.sent][:MOST_SENT]
    dropped = [address for address in partner.sent if address not in here][:MOST_SENT]
    if not added and not dropped:
        return None
    for address in dropped:
        del partner.sent[address]
    partner.sent.update((peer.address, None) for peer in added)
    return PeerExchange(tuple(added), tuple(dropped))
