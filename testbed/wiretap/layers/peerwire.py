"""The layer between TCP and messages: `PeerWire(messages=[Handshake(...), Interested(), ...])`.

A segment may hold any number of messages, so they are a list and no chain of payloads: scapy's recursion would not
survive a segment of 10,000 keep-alives. `Have in packet` and `packet[Request]` look into the list.

A single packet does not tell whether it begins at a message's start. It is taken for messages if every length in it is
right for its id and no id is unknown; the last message may be cut by the segment's end.
"""

from collections.abc import Iterator
from itertools import pairwise
from struct import Struct
from typing import Any, Final

from scapy.base_classes import BasePacket
from scapy.fields import PacketListField
from scapy.packet import Packet, Raw

from testbed.wiretap.layers.messages import (
    FIXED,
    HANDSHAKE_FRONT,
    HANDSHAKE_LENGTH,
    LONGEST,
    VARIABLE,
    PeerWireMessage,
)

_HEAD: Final = Struct(">IB")


def message_starts(data: bytes) -> list[int] | None:
    """Return the offsets of the messages in a segment, and that of what is no message; None if it holds none.

    >>> message_starts(bytes.fromhex("00000001 02  00000005 04 00000009"))
    [0, 5, 14]
    """
    starts = [0]
    if data.startswith(HANDSHAKE_FRONT) and len(data) >= HANDSHAKE_LENGTH:
        starts.append(HANDSHAKE_LENGTH)
    is_after_keep_alive = False
    while (size := _size_at(data, starts[-1])) is not None:
        # Nobody sends two keep-alives in a row, but many files have zeros.
        if size == 0 or (size == 4 and is_after_keep_alive):
            return starts if starts[1:2] == [HANDSHAKE_LENGTH] else None
        is_after_keep_alive = size == 4
        starts.append(min(len(data), starts[-1] + size))
    return starts if len(starts) > 1 else None


def _size_at(data: bytes, at: int) -> int | None:
    """Return the size of the message at an offset; 0 if there can be none, None if too few bytes are left to tell."""
    if at + _HEAD.size > len(data):
        return 4 if data[at:] == bytes(4) else None
    length, identifier = _HEAD.unpack_from(data, at)
    if length == 0:
        return 4
    if identifier in VARIABLE:
        return 4 + length if VARIABLE[identifier][1] <= length <= LONGEST else 0
    return 4 + length if identifier in FIXED and FIXED[identifier][1] == length else 0


class MessagesField(PacketListField):
    """The messages of a segment."""

    def __init__(self, name: str) -> None:
        super().__init__(name, [], PeerWireMessage)

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, list[BasePacket]]:
        starts = message_starts(s) or [0]
        return s[starts[-1] :], [PeerWireMessage(data, _parent=pkt) for data in _between(s, starts)]


def _between(data: bytes, starts: list[int]) -> Iterator[bytes]:
    return (data[begin:end] for begin, end in pairwise(starts))


class PeerWire(Packet):
    """Messages of one direction of a connection, the handshake among them."""

    name = "BitTorrent"
    fields_desc = [MessagesField("messages")]

    @classmethod
    def dispatch_hook(cls, _pkt: bytes | None = None, *_: Any, **__: Any) -> type[Packet]:
        return cls if _pkt is None or message_starts(_pkt) else Raw

    def do_dissect(self, s: bytes) -> bytes:
        rest = super().do_dissect(s)
        # Each message remembers its own bytes, and notices if it is changed.
        self.raw_packet_cache = None
        return rest

    def mysummary(self) -> str:
        return f"BitTorrent {', '.join(message.name for message in self.messages)}"
