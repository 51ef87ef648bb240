"""Errors in bytes from outside: one class for each reaction of a caller."""

from peer.errors import WireError


class MetainfoError(WireError):
    """A torrent or a magnet link that cannot be used; the message is for the person who supplied it."""


class HandshakeError(WireError):
    """The other end does not speak BitTorrent: close the connection."""


class MessageError(WireError):
    """A peer broke the protocol: close the connection."""


class TrackerError(WireError):
    """A request or an answer of the tracker protocol that cannot be read."""
