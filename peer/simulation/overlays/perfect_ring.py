"""Rings of Chord that are perfect from the start: what every node would know after long stabilisation."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from peer.overlays.chord.node import ChordNode
from peer.overlays.chord.ring import Contact


class PerfectRing:
    """All nodes at their places; an oracle that knows whose a place is."""

    def __init__(self, nodes: Sequence[ChordNode]) -> None:
        self.nodes: Final = sorted(nodes, key=lambda node: node.contact.id)
        self.contacts: Final[list[Contact]] = [node.contact for node in self.nodes]
        self._ids: Final = [contact.id for contact in self.contacts]

    def index_of(self, place: int) -> int:
        """Return which node a place belongs to."""
        return bisect_left(self._ids, place) % len(self._ids)

    def owner(self, place: int) -> ChordNode:
        return self.nodes[self.index_of(place)]

    def build(self, successors: int, bits: int, now: float) -> None:
        """Let all nodes take part, with all that they would have found out."""
        doubled = self.contacts * 2
        count = len(self.contacts)
        for index, node in enumerate(self.nodes):
            node.enter(doubled[index + 1 : index + 1 + min(successors, count - 1)], now)
            node.table.predecessor = self.contacts[index - 1] if count > 1 else None
            self._set_fingers(node, bits)

    def _set_fingers(self, node: ChordNode, bits: int) -> None:
        finger = node.table.first_finger()
        while finger < bits:
            finger = node.table.set_fingers(finger, self.contacts[self.index_of(node.table.start_of(finger))])
