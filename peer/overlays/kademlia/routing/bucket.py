"""A part of the space of ids, and up to k nodes in it.

A node that finds no room waits in the bucket's replacement cache: those that only were heard of stand before those that
answered, each in the order of arrival. The last is the best to take.
"""

from typing import Final

from peer.overlays.kademlia.parameters import Parameters
from peer.overlays.kademlia.routing.contact import Contact


class Bucket:
    """Holds at most k nodes, and as many that wait."""

    __slots__ = ("_parameters", "changed_at", "contacts", "is_checked", "waiting")

    def __init__(self, parameters: Parameters, now: float) -> None:
        self._parameters: Final = parameters
        self.contacts: list[Contact] = []
        self.waiting: list[Contact] = []
        self.changed_at = now
        """When a node in it last answered or came."""
        self.is_checked = False
        """Whether one of its nodes is being pinged to find out who is to have a place."""

    @property
    def is_full(self) -> bool:
        return len(self.contacts) >= self._parameters.k

    def find(self, node_id: int) -> Contact | None:
        """Return the node of this id that has a place."""
        return _found(self.contacts, node_id)

    def find_waiting(self, node_id: int) -> Contact | None:
        """Return the node of this id that waits."""
        return _found(self.waiting, node_id)

    def take(self, contact: Contact, now: float) -> bool:
        """Give a node that answered a place, that of a bad node if there is no other; false if there is none."""
        if self.is_full:
            bad = next((each for each in self.contacts if each.is_bad(self._parameters)), None)
            if bad is None:
                return False
            self.contacts.remove(bad)
        self.contacts.append(contact)
        self.changed_at = now
        return True

    def wait(self, contact: Contact) -> bool:
        """Let a node wait; false if all k that wait have better claims."""
        heard_of = sum(not each.has_answered for each in self.waiting)
        self.waiting.insert(len(self.waiting) if contact.has_answered else heard_of, contact)
        return len(self.waiting) <= self._parameters.k or self.waiting.pop(0) is not contact

    def fill(self, now: float) -> None:
        """Give places to those who wait, have answered, and find one."""
        while self.waiting and self.waiting[-1].has_answered and self.take(self.waiting[-1], now):
            self.waiting.pop()

    def to_check(self, now: float, *, can_split: bool) -> Contact | None:
        """Return whom to ping: one that waits if there is a place for it, or a questionable one that may have to go."""
        if not self.waiting or self.is_checked:
            return None
        if can_split or not self.is_full or any(each.is_bad(self._parameters) for each in self.contacts):
            return self.waiting[-1]
        doubtful = [each for each in self.contacts if not each.is_good(now, self._parameters)]
        return min(doubtful, key=lambda each: each.seen_at, default=None)


def _found(contacts: list[Contact], node_id: int) -> Contact | None:
    for each in contacts:  # faster than a generator, and asked for every node that is named
        if each.info.id == node_id:
            return each
    return None
