"""What is kept for others: entries under words, at the nodes whose words are nearest."""

from collections.abc import Callable, Iterable, Iterator
from math import ceil
from typing import Final, TypeAlias

from peer.net.address import Address
from peer.overlays.cubit.context import Context
from peer.overlays.cubit.distance import edit_distance
from peer.overlays.cubit.messages import Contact, Done, FindItems, Items, Keep, Kept
from peer.overlays.cubit.wire import entry_size, kept_size
from peer.overlays.parts.datagrams import HEAD_SIZE, MOST_BYTES, SEARCH_SIZE
from peer.overlays.parts.entry import Entry, decode_entry
from peer.overlays.parts.pairs import Pairs

MOST_TOTAL: Final = 0xFFFF
_ROOM: Final = MOST_BYTES - HEAD_SIZE - SEARCH_SIZE - 3
_MOST_PARTS: Final = 255
WhenKept: TypeAlias = Callable[[], None]


class Keeping:
    """The entries of one node."""

    __slots__ = ("_context", "entries")

    def __init__(self, context: Context) -> None:
        self._context: Final = context
        self.entries: Final = Pairs(context.parameters.most_entries, context.parameters.most_of_word)

    def take_keep(self, source: Address, keep: Keep) -> None:
        for kept in keep.entries:
            self.keep(kept)
        self._context.send(source, Done(keep.token, keep.search))

    def keep(self, kept: Kept) -> None:
        """Keep an entry, or keep it longer."""
        until = self._context.out.now + min(kept.lifetime, self._context.parameters.lifetime)
        self.entries.keep(kept.word.encode(), kept.entry.encode(), until)

    def take_find_items(self, source: Address, asked: FindItems) -> None:
        entries = self.around(asked.word, asked.edits)
        part = _fitting(entries[asked.first :])
        self._context.send(source, Items(asked.token, min(len(entries), MOST_TOTAL), part, asked.search))

    def around(self, word: str, edits: int) -> list[Entry]:
        """Return what is kept under words near this one, the nearest first, each once."""
        now = self._context.out.now
        distances = {key: edit_distance(word, key.decode()) for key in self.entries.all_keys()}
        near = sorted((distance, key) for key, distance in distances.items() if distance <= edits)
        return list(dict.fromkeys(decode_entry(value) for _, key in near for value in self.entries.values(key, now)))

    def has_for(self, leaf: Contact) -> bool:
        """Whether we keep something that is nearer to another node than to us."""
        return any(self._is_nearer(key.decode(), leaf) for key in self.entries.all_keys())

    def give_to(self, leaf: Contact) -> None:
        """A node became one of our nearest: it gets what is nearer to it than to us."""
        self.send_to(leaf.address, (kept for kept in self._all() if self._is_nearer(kept.word, leaf)))

    def _is_nearer(self, word: str, leaf: Contact) -> bool:
        return edit_distance(word, leaf.word) < edit_distance(word, self._context.own.word)

    def give_all(self) -> None:
        """We leave: each entry goes to the neighbour nearest to its word."""
        heirs: dict[Address, list[Kept]] = {}
        for kept in self._all():
            for heir in self._context.table.nearest(kept.word, 1):
                heirs.setdefault(heir.address, []).append(kept)
        for address, entries in heirs.items():
            self.send_to(address, entries)

    def send_to(self, address: Address, entries: Iterable[Kept], when_kept: WhenKept | None = None) -> None:
        """Let a node keep entries; `when_kept` is called for each datagram, if it took them or is dead."""
        do = when_kept or (lambda: None)
        for part in _parts(entries):
            keep = Keep(self._context.requests.new_token(), part)
            self._context.ask(address, keep, Done, lambda _: do(), do)

    def _all(self) -> Iterator[Kept]:
        now = self._context.out.now
        for key, value, until in self.entries.all(now):
            yield Kept(key.decode(), decode_entry(value), min(ceil(until - now), MOST_TOTAL))


def _fitting(entries: list[Entry]) -> tuple[Entry, ...]:
    room, fitting = _ROOM, []
    for entry in entries[:_MOST_PARTS]:
        room -= entry_size(entry)
        if room < 0:
            break
        fitting.append(entry)
    return tuple(fitting)


def _parts(entries: Iterable[Kept]) -> Iterator[tuple[Kept, ...]]:
    part: list[Kept] = []
    room = _ROOM
    for kept in entries:
        needed = kept_size(kept)
        if part and (needed > room or len(part) == _MOST_PARTS):
            yield tuple(part)
            part, room = [], _ROOM
        part.append(kept)
        room -= needed
    if part:
        yield tuple(part)
