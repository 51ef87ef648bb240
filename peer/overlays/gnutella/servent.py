"""What all parts of a servent share: who it is, what it has, its links, and its outbox."""

from collections.abc import Iterable
from random import Random
from typing import Final

from contract.overlay_events import UPKEEP, NodeErred
from peer.net.address import Address
from peer.overlays.content import Item
from peer.overlays.gnutella.kazaa.participation import Client, Participation
from peer.overlays.gnutella.links import Link, Links
from peer.overlays.gnutella.parameters import Parameters
from peer.overlays.gnutella.tables.words import words_of_text
from peer.overlays.gnutella.wire.messages import GUID_BYTES, Message
from peer.overlays.gnutella.wire.payloads import is_sayable
from peer.overlays.node import HangUp, Outbox, Record, Send


class Shelf:
    """What a servent shares; an item's number in it is its index on the wire."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.items: Final = [item for item in items if is_sayable(item.name)]
        self._words: Final = [frozenset(item.words) for item in self.items]
        self.words: Final[frozenset[str]] = frozenset().union(*self._words)
        self.kilobytes: Final = sum(item.size for item in self.items) >> 10

    def matching(self, text: str, most: int) -> list[tuple[int, Item]]:
        """Return at most so many items that have all words of a text, with their numbers."""
        wanted = words_of_text(text)
        if not wanted or not wanted <= self.words:
            return []
        has = [number for number, words in enumerate(self._words) if wanted <= words]
        return [(number, self.items[number]) for number in has[:most]]


class Servent:
    """One servent, as its parts see it."""

    def __init__(
        self, address: Address, items: Iterable[Item], parameters: Parameters, rng: Random, record: Record
    ) -> None:
        self.address: Final = address
        self.shelf: Final = Shelf(items)
        self.parameters: Final = parameters
        self.rng: Final = rng
        self.out: Final = Outbox(record)
        self.links: Final = Links()
        able = parameters.capability
        self.participation: Final = Participation(Client(able.client), able.level)
        self.guid: Final = self.new_guid()
        """Its own, by which pushes find it."""

    @property
    def now(self) -> float:
        return self.out.now

    def new_guid(self) -> bytes:
        """Draw an identifier that is marked as a modern servent's."""
        drawn = bytearray(self.rng.randbytes(GUID_BYTES))
        drawn[8], drawn[15] = 0xFF, 0
        return bytes(drawn)

    def send(self, link: Link, message: Message, search: str = UPKEEP) -> None:
        self.out.do(Send(link.number, message, search))

    def hang_up(self, link: Link, reason: str) -> None:
        self.links.remove(link.number)
        self.out.do(HangUp(link.number, reason))

    def err(self, what: str, address: Address) -> None:
        self.out.record(NodeErred(what, str(address)))
