"""Storing pairs and finding them: at the key's own node, with copies at its next successors.

The key's own node sees to the copies: it sends new pairs on, and all of its own when a successor is new or when its
part of the ring has grown. A node that joins gets the pairs that are now its own from its successor, which keeps them
as copies. What a node shares it stores again from time to time, so that nothing is lost for long.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from math import ceil
from typing import Final, TypeAlias

from peer.net.address import Address
from peer.overlays.chord.context import Context
from peer.overlays.chord.lookup import Found
from peer.overlays.chord.messages import Done, Pair, Retrieve, Store, Values
from peer.overlays.chord.ring import Contact, is_after_until, position_of
from peer.overlays.chord.wire import MOST_VALUE, pair_size, value_size
from peer.overlays.parts.datagrams import HEAD_SIZE, MOST_BYTES, SEARCH_SIZE
from peer.overlays.parts.pairs import Pairs

WhenKept: TypeAlias = Callable[[tuple[Pair, ...]], None]
MOST_TOTAL: Final = 0xFFFF
MOST_MOVES: Final = 16
_ROOM: Final = MOST_BYTES - HEAD_SIZE - SEARCH_SIZE - 3
_MOST_PARTS: Final = 255


class Keeping:
    """The pairs of this node, and their way to others and back."""

    __slots__ = ("_context", "_has_copies", "pairs")

    def __init__(self, context: Context) -> None:
        self._context: Final = context
        self.pairs: Final = Pairs(context.parameters.most_pairs, context.parameters.most_values)
        self._has_copies: set[Contact] = set()
        """The successors that have all pairs that are our own."""

    def take_store(self, source: Address, store: Store) -> None:
        """Keep pairs, and have copies made if we are to see to that."""
        now = self._context.out.now
        for pair in store.pairs:
            lifetime = min(pair.lifetime, self._context.parameters.lifetime)
            self.pairs.keep(pair.key, pair.value, now + lifetime)
        self._context.send(source, Done(store.token, store.search))
        if not store.is_copy:
            self._see_to_copies(store)

    def _see_to_copies(self, store: Store) -> None:
        before = self._context.table.predecessor
        strangers = [pair for pair in store.pairs if before and not self._is_ours(pair)] if store.moves else []
        if before and strangers:
            self.send_pairs(before, strangers, moves=store.moves - 1, when_kept=self._when_passed_on())
        if len(strangers) < len(store.pairs):
            for node in self._copy_holders():
                self.send_pairs(node, [pair for pair in store.pairs if pair not in strangers])

    def _is_ours(self, pair: Pair) -> bool:
        table = self._context.table
        after = table.predecessor.id if table.predecessor else table.own.id
        return is_after_until(position_of(pair.key, self._context.parameters.bits), after, table.own.id)

    def take_retrieve(self, source: Address, asked: Retrieve) -> None:
        """Tell the values of a key, as many as fit."""
        values = self.pairs.values(asked.key, self._context.out.now)
        part = _fitting(values[asked.first : asked.first + asked.most])
        self._context.send(source, Values(asked.token, min(len(values), MOST_TOTAL), part, asked.search))

    def store_at(self, found: Found, pair: Pair, when_done: Callable[[], None]) -> None:
        """Store a pair of ours at its key's own node, the first that answers."""
        self._store_at_first(found.nodes, pair, when_done)

    def _store_at_first(self, nodes: list[Contact], pair: Pair, when_done: Callable[[], None]) -> None:
        if not nodes:
            when_done()
        elif nodes[0] == self._context.own:
            self.pairs.keep(pair.key, pair.value, self._context.out.now + pair.lifetime)
            for node in self._copy_holders():
                self.send_pairs(node, (pair,))
            when_done()
        else:
            store = Store(self._context.requests.new_token(), is_copy=False, pairs=(pair,), moves=MOST_MOVES)
            self._context.ask(
                nodes[0], store, Done, lambda _: when_done(), lambda: self._store_at_first(nodes[1:], pair, when_done)
            )

    def give_to(self, predecessor: Contact, *, knew_our_part: bool) -> None:
        """A node came before us: it gets the pairs that are not our own, as copies of what it should have.

        If we did not know where our part begins, they may belong anywhere before, so it may pass them on.
        """
        moves = None if knew_our_part else MOST_MOVES
        self.send_pairs(predecessor, self._pairs_before(predecessor), moves=moves, when_kept=self._when_passed_on())

    def give_all_to(self, successor: Contact) -> None:
        """We leave: our own pairs are the successor's now, and it sees to the copies."""
        self.send_pairs(successor, self._own_pairs(), moves=MOST_MOVES)

    def our_part_grew(self) -> None:
        """Our predecessor is gone, so some copies are our own now, and need copies in their turn."""
        self._has_copies.clear()

    def keep_copies(self) -> None:
        """Send our own pairs to successors that do not have them yet, and drop what is old."""
        self.pairs.drop_old(self._context.out.now)
        holders = self._copy_holders()
        for node in holders:
            if node not in self._has_copies:
                self.send_pairs(node, self._own_pairs())
        self._has_copies = set(holders)

    def send_pairs(
        self, node: Contact, pairs: Iterable[Pair], *, moves: int | None = None, when_kept: WhenKept | None = None
    ) -> None:
        """Send copies; or, if they may be passed on, pairs to whose copies the other node sees."""
        for part in _parts(pairs):
            store = Store(self._context.requests.new_token(), moves is None, part, moves or 0)
            self._context.ask(node, store, Done, partial(_tell_kept, when_kept, part), _ignore_loss)

    def _when_passed_on(self) -> WhenKept | None:
        """Return what to do with pairs that are another node's own: they are copies, if there are any."""
        return None if self._context.parameters.replicas > 1 else self._drop

    def _drop(self, pairs: tuple[Pair, ...]) -> None:
        for pair in pairs:
            self.pairs.drop(pair.key, pair.value)

    def new_pair(self, key: bytes, value: bytes) -> Pair:
        return Pair(key, value, min(int(self._context.parameters.lifetime), MOST_TOTAL))

    def _copy_holders(self) -> list[Contact]:
        return self._context.table.successors[: self._context.parameters.replicas - 1]

    def _own_pairs(self) -> list[Pair]:
        return [pair for pair in self._all() if self._is_ours(pair)]

    def _pairs_before(self, node: Contact) -> list[Pair]:
        own, bits = self._context.own.id, self._context.parameters.bits
        return [pair for pair in self._all() if not is_after_until(position_of(pair.key, bits), node.id, own)]

    def _all(self) -> Iterator[Pair]:
        now = self._context.out.now
        return (Pair(key, value, min(ceil(until - now), MOST_TOTAL)) for key, value, until in self.pairs.all(now))


def check_value(value: bytes) -> None:
    """Refuse a value of ours that no datagram can carry."""
    if len(value) > MOST_VALUE:
        raise ValueError(f"a value has at most {MOST_VALUE} bytes, not {len(value)}")


def _fitting(values: list[bytes]) -> tuple[bytes, ...]:
    room, fitting = _ROOM, []
    for value in values[:_MOST_PARTS]:
        room -= value_size(value)
        if room < 0:
            break
        fitting.append(value)
    return tuple(fitting)


def _parts(pairs: Iterable[Pair]) -> Iterator[tuple[Pair, ...]]:
    part: list[Pair] = []
    room = _ROOM
    for pair in pairs:
        needed = pair_size(pair.value)
        if part and (needed > room or len(part) == _MOST_PARTS):
            yield tuple(part)
            part, room = [], _ROOM
        part.append(pair)
        room -= needed
    if part:
        yield tuple(part)


def _tell_kept(when_kept: WhenKept | None, pairs: tuple[Pair, ...], _: Done) -> None:
    if when_kept is not None:
        when_kept(pairs)


def _ignore_loss() -> None:
    pass
