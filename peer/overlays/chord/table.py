"""What a node knows of others: its predecessor, its successors, its fingers; and what follows from that for a place."""

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Final, TypeAlias

from peer.overlays.chord.ring import Contact, distance, is_after_until, is_between

Dead: TypeAlias = Collection[Contact]


class Table:
    """Finger i is the first node at or after own + 2^i. Those that the first successor is are not kept twice."""

    __slots__ = ("_bits", "_most", "_routes_by_successors", "fingers", "own", "predecessor", "successors")

    def __init__(self, own: Contact, bits: int, most: int, *, routes_by_successors: bool) -> None:
        self.own: Final = own
        self._bits: Final = bits
        self._most: Final = most
        self._routes_by_successors: Final = routes_by_successors
        self.predecessor: Contact | None = None
        self.successors: list[Contact] = []
        """In their order on the ring, none of them twice, without this node."""
        self.fingers: Final[dict[int, Contact]] = {}

    def responsible(self, target: int, dead: Dead = ()) -> list[Contact]:
        """Return the place's own node and those after it, as far as known; empty if others have to be asked."""
        alive = [node for node in self.successors if node not in dead]
        if not self.successors or (self.predecessor and is_after_until(target, self.predecessor.id, self.own.id)):
            return [self.own, *alive]
        return alive if alive and is_after_until(target, self.own.id, alive[0].id) else []

    def closest_preceding(self, target: int, dead: Dead = ()) -> Contact | None:
        """Return the node nearest to a place among those strictly between us and the place."""
        best, reached = None, 0
        to_target = distance(self.own.id, target, self._bits) or 1 << self._bits
        for node in self._next_nodes(dead):
            covers = distance(self.own.id, node.id, self._bits)
            if reached < covers < to_target and node not in dead:
                best, reached = node, covers
        return best

    def _next_nodes(self, dead: Dead) -> Iterator[Contact]:
        yield from self.fingers.values()
        if self._routes_by_successors:
            yield from self.successors
        else:
            yield from islice((node for node in self.successors if node not in dead), 1)

    def first_finger(self) -> int:
        """Return the first finger that is beyond the first successor."""
        return distance(self.own.id, self.successors[0].id, self._bits).bit_length() if self.successors else self._bits

    def start_of(self, finger: int) -> int:
        """Return the place whose node a finger is."""
        return (self.own.id + (1 << finger)) % (1 << self._bits)

    def set_fingers(self, first: int, node: Contact) -> int:
        """Let a node be a finger and all after it that it is, too; returns the first that it is not."""
        finger = first
        while finger < self._bits and is_after_until(self.start_of(finger), self.own.id, node.id):
            if node == self.own:
                self.fingers.pop(finger, None)
            else:
                self.fingers[finger] = node
            finger += 1
        return max(finger, first + 1)

    def set_successors(self, nodes: Iterable[Contact]) -> None:
        """Take a list, up to where it comes round to us; what is not in the ring's order is no list of successors."""
        kept: list[Contact] = []
        reached = 0
        for node in nodes:
            covers = distance(self.own.id, node.id, self._bits)
            if covers <= reached or len(kept) == self._most:
                break
            kept.append(node)
            reached = covers
        self.successors = kept
        for finger in [finger for finger in self.fingers if kept and finger < self.first_finger()]:
            del self.fingers[finger]

    def is_nearer_successor(self, node: Contact) -> bool:
        """Whether a node would come before our first successor."""
        return not self.successors or is_between(node.id, self.own.id, self.successors[0].id)

    def is_nearer_predecessor(self, node: Contact) -> bool:
        """Whether a node would come after our predecessor."""
        return self.predecessor is None or is_between(node.id, self.predecessor.id, self.own.id)

    def drop(self, node: Contact) -> None:
        """Forget a node wherever it is. Another one takes the place of the only successor."""
        if self.predecessor == node:
            self.predecessor = None
        for finger in [finger for finger, known in self.fingers.items() if known == node]:
            del self.fingers[finger]
        if node in self.successors:
            self.successors.remove(node)
            if not self.successors:
                self._take_any_successor()

    def _take_any_successor(self) -> None:
        known = [node for node in (*self.fingers.values(), self.predecessor) if node is not None]
        if known:
            self.successors = [min(known, key=lambda node: distance(self.own.id, node.id, self._bits))]

    def everybody(self) -> list[Contact]:
        """Return all that are known, each once."""
        known = dict.fromkeys((*self.successors, *self.fingers.values()))
        if self.predecessor:
            known.setdefault(self.predecessor)
        return list(known)
