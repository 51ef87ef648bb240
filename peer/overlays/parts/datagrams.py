"""Messages of the overlays whose wire is our own, as datagrams: a head, and a body with a form for each kind.

    magic  kind  token (4)  [search (16), if the highest bit of kind is set]  body

Numbers are big-endian. The token joins an answer to its question; the search is what caused the message, if one did.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, NamedTuple, TypeVar

from contract.overlay_events import UPKEEP
from peer.errors import WireError
from peer.overlays.parts.packing import Reader
from peer.overlays.parts.requests import Question

HEAD_SIZE: Final = 6
SEARCH_SIZE: Final = 16
MOST_BYTES: Final = 1_400
"""Of a datagram, so that it fits an Ethernet frame."""
_HAS_SEARCH: Final = 0x80
_SEARCH: Final = re.compile(r"[0-9a-f]{32}")

Message = TypeVar("Message", bound=Question)


class Form(NamedTuple):
    """How the messages of one type are written."""

    kind: int
    body: Callable[[Any], bytes]
    read: Callable[[int, str, Reader], Any]
    """Makes a message of its token, its search, and the body that is still to be read."""
    size: Callable[[Any], int]
    """Returns the length of the body, without writing it."""


class Codec(Generic[Message]):
    """Writes and reads the messages of one overlay."""

    def __init__(self, magic: int, forms: Mapping[type, Form]) -> None:
        self._magic: Final = magic
        self._forms: Final = forms
        self._types: Final = {form.kind: message_type for message_type, form in forms.items()}

    def encode(self, message: Message) -> bytes:
        """Write a message as one datagram."""
        form = self._forms[type(message)]
        return _pack_head(self._magic, form.kind, message) + form.body(message)

    def decode(self, data: bytes) -> Message:
        """Read one datagram."""
        if len(data) > MOST_BYTES:
            raise WireError(f"message: expected at most {MOST_BYTES} bytes, found {len(data)}")
        reader = Reader(data)
        kind, token, search = _read_head(self._magic, reader)
        message_type = self._types.get(kind)
        if message_type is None:
            raise reader.error(f"kind {kind} is unknown")
        reader.name(message_type.__name__)
        message: Message = self._forms[message_type].read(token, search, reader)
        reader.end()
        return message

    def size(self, message: Message) -> int:
        """Return how many bytes `encode` would write."""
        head = HEAD_SIZE + (SEARCH_SIZE if message.search else 0)
        return head + self._forms[type(message)].size(message)


def _pack_head(magic: int, kind: int, message: Question) -> bytes:
    token = message.token.to_bytes(4, "big")
    if message.search == UPKEEP:
        return bytes([magic, kind]) + token
    if not _SEARCH.fullmatch(message.search):
        raise WireError(f"search: expected 32 hex digits, found {message.search[:64]!r}")
    return bytes([magic, kind | _HAS_SEARCH]) + token + bytes.fromhex(message.search)


def _read_head(magic: int, reader: Reader) -> tuple[int, int, str]:
    if reader.number(1) != magic:
        raise reader.error(f"does not begin with {chr(magic)!r}")
    kind, token = reader.number(1), reader.number(4)
    search = reader.take(SEARCH_SIZE).hex() if kind & _HAS_SEARCH else UPKEEP
    return kind & ~_HAS_SEARCH, token, search
