"""Which connections are encrypted: the user's choice, RC4, and the way back to plaintext.

RC4 comes from `cryptography`, where it is among the ciphers that nobody should choose any more. Python alone would take
about a hundred times as long. It is imported when the first connection needs it, since it takes 8 MB of memory.
"""

import secrets
import socket
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from importlib.util import find_spec
from typing import Final

from contract.programs import RC4_PACKAGE
from peer.bittorrent.wire.encryption import Called, Caller, Cipher, Method, Negotiation
from peer.bittorrent.wire.errors import HandshakeError
from peer.net.address import Address
from peer.net.dialler import Dialler


class Encryption(StrEnum):
    """How a peer treats encryption."""

    OFF = "off"
    """Plaintext only."""
    ACCEPT = "accept"
    """Dial in plaintext; take what others begin with, and let the stream be plaintext where they agree to it."""
    PREFER = "prefer"
    """Dial with encryption, and again without it if that fails; RC4 where the other end agrees."""
    REQUIRE = "require"
    """RC4 only."""


METHODS: Final = {
    Encryption.ACCEPT: (Method.PLAINTEXT, Method.RC4),
    Encryption.PREFER: (Method.RC4, Method.PLAINTEXT),
    Encryption.REQUIRE: (Method.RC4,),
}


def negotiation(choice: Encryption, info_hash: bytes, *, is_outgoing: bool) -> Negotiation | None:
    """Return our part in the encrypted handshake of a new connection; None begins with the plaintext one."""
    if choice is Encryption.OFF or (is_outgoing and choice is Encryption.ACCEPT):
        return None
    methods, draw = METHODS[choice], secrets.token_bytes
    if is_outgoing:
        return Caller(info_hash, methods, draw, rc4)
    return Called(info_hash, methods, draw, rc4, takes_plaintext=choice is not Encryption.REQUIRE)


def is_available() -> bool:
    """Whether the package is installed that RC4 needs."""
    return find_spec(RC4_PACKAGE) is not None


def rc4(key: bytes) -> Cipher:
    """Make one direction of an RC4 stream; raises HandshakeError where there is no RC4."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  see above
        from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers import Cipher as Stream  # noqa: PLC0415
    except ImportError as error:
        raise HandshakeError(f"an encrypted handshake needs the Python package {RC4_PACKAGE}: install it") from error
    try:
        return Stream(ARC4(key), None).encryptor()
    except UnsupportedAlgorithm as error:
        raise HandshakeError("an encrypted handshake needs RC4, which this machine's OpenSSL lacks") from error


class Fallbacks:
    """Dials neighbours again, in plaintext, that do not know encryption.

    The session does not notice: to it, that is a connection on which the handshake takes longer.
    """

    def __init__(
        self,
        dialler: Dialler,
        connected: Callable[[int, bytes, socket.socket], None],
        failed: Callable[[int, str], None],
    ) -> None:
        """One of these is called with the neighbour, and what we wanted to say to it or why it cannot be reached."""
        self._dialler = dialler
        self._connected = connected
        self._failed = failed
        self._addresses: dict[int, Address] = {}
        self._greetings: dict[int, bytes] = {}

    def expect(self, key: int, address: Address) -> None:
        """Keep the address of a neighbour until `forget`."""
        self._addresses[key] = address

    def forget(self, key: int) -> None:
        """The neighbour knows encryption, or is not wanted any more."""
        self._addresses.pop(key, None)
        self._greetings.pop(key, None)

    def begin(self, key: int, greeting: bytes) -> bool:
        """Dial a neighbour that has hung up again; returns whether that is worthwhile."""
        address = self._addresses.pop(key, None)
        if address is None:
            return False
        self._greetings[key] = greeting
        self._dialler.dial(address, partial(self._dialled, key), partial(self._dial_failed, key))
        return True

    def _dialled(self, key: int, _: Address, connected: socket.socket) -> None:
        greeting = self._greetings.pop(key, None)
        if greeting is None:
            connected.close()
        else:
            self._connected(key, greeting, connected)

    def _dial_failed(self, key: int, _: Address, reason: str) -> None:
        if self._greetings.pop(key, None) is not None:
            self._failed(key, reason)
