"""The neighbours of a node: a ring for each edit distance with a few diverse nodes, and the nearest of all."""

from collections.abc import Iterable
from typing import Final

from peer.net.address import Address
from peer.overlays.cubit.distance import edit_distance
from peer.overlays.cubit.messages import Contact


class Ring:
    """Nodes at one distance, as different from each other as they can be had.

    A full ring gives the place of one of the two that are most alike to a node that is less like all others.
    """

    __slots__ = ("_alike", "_most", "members")

    def __init__(self, most: int) -> None:
        self._most: Final = most
        self.members: Final[list[Contact]] = []
        self._alike: tuple[int, Contact] | None = None
        """The smallest distance between two members, and the later one of them, if it was measured since a change."""

    def add(self, contact: Contact) -> tuple[bool, Contact | None]:
        """Take a node, if it is worth a place; returns whether, and who gave way."""
        if len(self.members) < self._most:
            self.members.append(contact)
            self._alike = None
            return True, None
        if self._most == 0:
            return False, None
        distance, later = self._most_alike()
        if min(edit_distance(contact.word, member.word) for member in self.members if member != later) <= distance:
            return False, None
        self.members[self.members.index(later)] = contact
        self._alike = None
        return True, later

    def remove(self, contact: Contact) -> None:
        if contact in self.members:
            self.members.remove(contact)
            self._alike = None

    def _most_alike(self) -> tuple[int, Contact]:
        if self._alike is None:
            self._alike = min(
                (edit_distance(one.word, other.word), other)
                for index, one in enumerate(self.members)
                for other in self.members[index + 1 :]
            )
        return self._alike


class Table:
    """All neighbours. Each is in its ring, or one of the nearest, or both."""

    __slots__ = ("_by_address", "_leaves", "_most_leaves", "_rings", "own")

    def __init__(self, own: Contact, a_ring: int, rings: int, leaves: int) -> None:
        self.own = own
        self._most_leaves: Final = leaves
        self._rings: Final = [Ring(a_ring) for _ in range(rings)]
        self._leaves: list[Contact] = []
        """The nearest first."""
        self._by_address: Final[dict[Address, Contact]] = {}

    def __len__(self) -> int:
        return len(self._by_address)

    def all(self) -> list[Contact]:
        return list(self._by_address.values())

    @property
    def leaves(self) -> list[Contact]:
        return list(self._leaves)

    def add(self, contact: Contact) -> bool:
        """Take a node if there is a place for it; returns whether it is one of the nearest now, and was not before."""
        if contact.address == self.own.address or self._by_address.get(contact.address) == contact:
            return False
        self.drop(contact.address)
        is_leaf = self._add_leaf(contact)
        is_in_ring, gave_way = self._ring_of(contact).add(contact)
        if is_leaf or is_in_ring:
            self._by_address[contact.address] = contact
        if gave_way is not None:
            self._forget_unless_kept(gave_way)
        return is_leaf

    def drop(self, address: Address) -> None:
        """Forget a node; the next nearest takes its place."""
        contact = self._by_address.pop(address, None)
        if contact is not None:
            self._ring_of(contact).remove(contact)
            if contact in self._leaves:
                self._leaves = self.nearest(self.own.word, self._most_leaves)

    def nearest(self, word: str, most: int) -> list[Contact]:
        """Return those nearest to a word, the nearest first."""
        return nearest(self._by_address.values(), word, most)

    def _ring_of(self, contact: Contact) -> Ring:
        distance = edit_distance(self.own.word, contact.word)
        return self._rings[min(distance, len(self._rings) - 1)]

    def _add_leaf(self, contact: Contact) -> bool:
        leaves = nearest([*self._leaves, contact], self.own.word, self._most_leaves + 1)
        gave_way = leaves.pop() if len(leaves) > self._most_leaves else None
        if gave_way == contact:
            return False
        self._leaves = leaves
        if gave_way is not None:
            self._forget_unless_kept(gave_way)
        return True

    def _forget_unless_kept(self, contact: Contact) -> None:
        if contact not in self._leaves and contact not in self._ring_of(contact).members:
            self._by_address.pop(contact.address, None)


def nearest(contacts: Iterable[Contact], word: str, most: int) -> list[Contact]:
    """Return the nodes nearest to a word; among equals, by their words and addresses, so that all agree."""
    return sorted(contacts, key=lambda contact: (edit_distance(word, contact.word), contact))[:most]
