"""The receiving half of a connection: handshakes of text, and then messages, cut anywhere."""

from collections.abc import Iterator
from typing import Final

from peer.errors import WireError
from peer.overlays.gnutella.wire import HEADER, MOST_PAYLOAD, read_payload
from peer.overlays.gnutella.wire.handshake import END, MOST_BYTES, read_handshake
from peer.overlays.gnutella.wire.messages import Handshake, Received


class Decoder:
    """Yields what arrives. It keeps at most one message and what it was fed last.

    Who dials reads one handshake, the other's answer; who accepts reads two, as the one who dials has the last word.
    A stream that makes no sense raises WireError, once and for all.
    """

    def __init__(self, is_outgoing: bool) -> None:
        self._handshakes_left = 1 if is_outgoing else 2
        self._buffer: Final = bytearray()
        self._is_broken = False

    def feed(self, data: bytes | bytearray | memoryview) -> Iterator[Received]:
        """Yield the messages that are complete with these bytes; consume to the end."""
        if self._is_broken:
            raise WireError("this stream made no sense before")
        self._buffer.extend(data)
        try:
            yield from self._handshakes()
            if not self._handshakes_left:
                yield from self._messages()
        except WireError:
            self._is_broken = True
            raise

    def _handshakes(self) -> Iterator[Handshake]:
        while self._handshakes_left:
            end = self._buffer.find(END, 0, MOST_BYTES)
            if end < 0:
                self._check_start()
                return
            handshake = read_handshake(bytes(self._buffer[:end]))
            del self._buffer[: end + len(END)]
            self._handshakes_left -= 1
            yield handshake

    def _check_start(self) -> None:
        """Refuse early what is no handshake, and what is too long for one."""
        if not b"GNUTELLA".startswith(self._buffer[:8]):
            raise WireError(f"a handshake: expected GNUTELLA, found {bytes(self._buffer[:8])!r}")
        if len(self._buffer) >= MOST_BYTES:
            raise WireError(f"a handshake: expected its end within {MOST_BYTES} bytes")

    def _messages(self) -> Iterator[Received]:
        begin = 0
        try:
            while len(self._buffer) - begin >= HEADER.size:
                guid, kind, ttl, hops, length = HEADER.unpack_from(self._buffer, begin)
                if length > MOST_PAYLOAD:
                    raise WireError(f"a payload of {length} bytes: expected at most {MOST_PAYLOAD}")
                end = begin + HEADER.size + length
                if end > len(self._buffer):
                    return
                payload = bytes(self._buffer[begin + HEADER.size : end])
                begin = end
                yield read_payload(kind, (guid, ttl, hops), payload)
        finally:
            del self._buffer[:begin]
