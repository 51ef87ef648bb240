"""Messages of Cubit as datagrams. What was read of Cubit has no wire format, so this is our own: docs/find/cubit.md.

    'Q'  kind  token (4)  [search (16), if the highest bit of kind is set]  body

Numbers are big-endian; words and names are UTF-8 behind their length in two bytes.
"""

from collections.abc import Iterable
from typing import Final

from peer.overlays.cubit.messages import (
    Contact,
    Done,
    FindItems,
    FindNodes,
    Gossip,
    Items,
    Keep,
    Kept,
    Leave,
    Message,
    Nodes,
)
from peer.overlays.parts.datagrams import Codec, Form
from peer.overlays.parts.entry import MOST_NAME, Entry, decode_entry
from peer.overlays.parts.packing import (
    ADDRESS_SIZE,
    Reader,
    pack_address,
    pack_short,
)

MAGIC: Final = ord("Q")
MOST_WORD: Final = 64
"""Bytes of a word."""


def contact_size(contact: Contact) -> int:
    """Return what a node adds to a message."""
    return ADDRESS_SIZE + text_size(contact.word)


def entry_size(entry: Entry) -> int:
    """Return what an entry adds to a message."""
    return 2 + ADDRESS_SIZE + byte_count(entry.name)


def kept_size(kept: Kept) -> int:
    """Return what an entry to be kept adds to a message."""
    return text_size(kept.word) + 2 + entry_size(kept.entry)


def text_size(text: str) -> int:
    return 2 + byte_count(text)


def byte_count(text: str) -> int:
    """Return how many bytes a text has in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def _text(text: str) -> bytes:
    return pack_short(text.encode())


def _pack_contacts(contacts: Iterable[Contact]) -> bytes:
    parts = [pack_address(contact.address) + _text(contact.word) for contact in contacts]
    return bytes([len(parts)]) + b"".join(parts)


def _read_contact(reader: Reader) -> Contact:
    address = reader.address()
    return Contact(reader.text(MOST_WORD), address)


def _read_contacts(reader: Reader) -> tuple[Contact, ...]:
    return tuple(_read_contact(reader) for _ in range(reader.number(1)))


def _contacts_size(contacts: tuple[Contact, ...]) -> int:
    return 1 + sum(map(contact_size, contacts))


def _read_entry(reader: Reader) -> Entry:
    return decode_entry(reader.short(ADDRESS_SIZE + MOST_NAME))


def _pack_kept(kept: Kept) -> bytes:
    return _text(kept.word) + kept.lifetime.to_bytes(2, "big") + pack_short(kept.entry.encode())


def _read_kept(reader: Reader) -> Kept:
    word, lifetime = reader.text(MOST_WORD), reader.number(2)
    return Kept(word, _read_entry(reader), lifetime)


def _read_find_nodes(token: int, search: str, reader: Reader) -> FindNodes:
    word, most = reader.text(MOST_WORD), reader.number(1)
    return FindNodes(token, word, most, reader.text(MOST_WORD), search)


def _read_gossip(token: int, search: str, reader: Reader) -> Gossip:
    asker = reader.text(MOST_WORD)
    return Gossip(token, asker, _read_contacts(reader), search)


def _read_nodes(token: int, search: str, reader: Reader) -> Nodes:
    own = reader.text(MOST_WORD)
    return Nodes(token, own, _read_contacts(reader), search)


def _read_find_items(token: int, search: str, reader: Reader) -> FindItems:
    word, edits = reader.text(MOST_WORD), reader.number(1)
    return FindItems(token, word, edits, reader.number(2), search)


def _read_items(token: int, search: str, reader: Reader) -> Items:
    total = reader.number(2)
    return Items(token, total, tuple(_read_entry(reader) for _ in range(reader.number(1))), search)


def _read_keep(token: int, search: str, reader: Reader) -> Keep:
    return Keep(token, tuple(_read_kept(reader) for _ in range(reader.number(1))), search)


_FORMS: Final[dict[type, Form]] = {
    FindNodes: Form(
        1,
        lambda m: _text(m.word) + bytes([m.most]) + _text(m.asker),
        _read_find_nodes,
        lambda m: text_size(m.word) + 1 + text_size(m.asker),
    ),
    Gossip: Form(
        2,
        lambda m: _text(m.asker) + _pack_contacts(m.nodes),
        _read_gossip,
        lambda m: text_size(m.asker) + _contacts_size(m.nodes),
    ),
    Nodes: Form(
        3,
        lambda m: _text(m.own) + _pack_contacts(m.nodes),
        _read_nodes,
        lambda m: text_size(m.own) + _contacts_size(m.nodes),
    ),
    FindItems: Form(
        4,
        lambda m: _text(m.word) + bytes([m.edits]) + m.first.to_bytes(2, "big"),
        _read_find_items,
        lambda m: text_size(m.word) + 3,
    ),
    Items: Form(
        5,
        lambda m: (
            m.total.to_bytes(2, "big")
            + bytes([len(m.entries)])
            + b"".join(pack_short(entry.encode()) for entry in m.entries)
        ),
        _read_items,
        lambda m: 3 + sum(map(entry_size, m.entries)),
    ),
    Keep: Form(
        6,
        lambda m: bytes([len(m.entries)]) + b"".join(map(_pack_kept, m.entries)),
        _read_keep,
        lambda m: 1 + sum(map(kept_size, m.entries)),
    ),
    Done: Form(7, lambda _: b"", lambda token, search, _: Done(token, search), lambda _: 0),
    Leave: Form(8, lambda _: b"", lambda token, search, _: Leave(token, search), lambda _: 0),
}
_CODEC: Final = Codec[Message](MAGIC, _FORMS)
encode: Final = _CODEC.encode
decode: Final = _CODEC.decode
size: Final = _CODEC.size
