"""How each overlay is drawn: who is in the middle, what identifiers mean, and which messages are answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha1
from typing import Final

from testbed.tasks.find.plan.hosts import DIRECTORY
from testbed.tasks.find.plan.records import FindSettings
from testbed.tasks.find.plan.theory import number_of
from testbed.tasks.searches import Tier

_KEY_BITS: Final = 160
_TIERS: Final = {DIRECTORY: Tier.MIDDLE, "ultrapeer": Tier.INNER}
"""By role; all others are outside."""
_OF_RING: Final = frozenset({"Next", "Routed", "Neighbours", "Done", "Values"})


@dataclass(frozen=True)
class Appearance:
    """What the picture of an overlay needs to know of it."""

    answering: frozenset[str] = frozenset()
    """The kinds of messages that go back to who asked: classes in the overlay's folder."""
    has_identifiers: bool = False
    """Whether the hex digits that are a node's identifier say where it is."""
    hashes_names: bool = False
    """Whether a search is for the SHA-1 of a name, which lies among the identifiers."""


APPEARANCES: Final[Mapping[str, Appearance]] = {
    "napster": Appearance(frozenset({"Result", "EndOfResults", "DownloadFrom", "DownloadRefused", "Refusal"})),
    "gnutella": Appearance(frozenset({"QueryHit"})),
    "chord": Appearance(_OF_RING, has_identifiers=True, hashes_names=True),
    "kademlia": Appearance(frozenset({"Answer", "Refusal"}), has_identifiers=True, hashes_names=True),
    "cubit": Appearance(frozenset({"Nodes", "Items", "Kept", "Done"})),
    "keywords": Appearance(_OF_RING, has_identifiers=True),
}
"""By the overlay's name. Of one that did not come with the testbed, nothing is known."""


def appearance_of(settings: FindSettings) -> Appearance:
    """Return how the overlay of a trial is drawn."""
    return APPEARANCES.get(settings.overlay.name, Appearance())


def tier_of(role: str) -> Tier:
    """Return where hosts of a role are drawn."""
    return _TIERS.get(role, Tier.OUTER)


def place_of(identifier: str, settings: FindSettings) -> float | None:
    """Return where a node's identifier lies among all; None if that means nothing in this overlay."""
    if not appearance_of(settings).has_identifiers:
        return None
    return int(identifier, 16) / (1 << _bits(settings))


def key_of(wanted: str, settings: FindSettings) -> float | None:
    """Return where the key of a name lies among the identifiers; None if there is no such thing."""
    if not appearance_of(settings).hashes_names:
        return None
    key = int.from_bytes(sha1(wanted.encode(), usedforsecurity=False).digest(), "big")
    bits = _bits(settings)
    return (key >> (_KEY_BITS - bits)) / (1 << bits)


def _bits(settings: FindSettings) -> int:
    """Return how long identifiers are: a ring can have shorter ones."""
    return number_of(settings, "ring.bits", number_of(settings, "bits", _KEY_BITS))
