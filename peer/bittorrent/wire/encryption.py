"""Message Stream Encryption (MSE, also called PE): the handshake before the handshake, and what both ends use after it.

    caller --> Ya  pad A                                            Ya, Yb: 96 bytes of Diffie-Hellman
    called <-- Yb  pad B                                            pads: 0 to 512 random bytes
    caller --> H("req1" S)  H("req2" info-hash) ^ H("req3" S)       S: the shared secret, 96 bytes; H: SHA-1
               E(VC  provide  len  pad C  len  payload)             VC: 8 zeros; provide, select: 1 plaintext, 2 RC4
    called <-- E'(VC  select  len  pad D)                           the payload is the start of the caller's stream
    both  <--> plaintext, or E and E' continued                     E, E': RC4 from H("keyA" S info-hash), "keyB"

The pads have no length in front of them, so each end searches for what follows: the called one for H("req1" S), the
caller for VC, which it can encrypt itself. Neither searches beyond the longest pad.

It hides what is said from who only listens, and proves nothing: RC4 and a group of 768 bits are weak by now. It is here
because many clients prefer it, and some refuse all else. There is no specification but the article of its authors
(Azureus and uTorrent, 2006) and what clients do.

No I/O here. Bytes go in, bytes to send come out, and at the end there is an `agreement` on the rest of the stream.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from enum import IntFlag
from hashlib import sha1
from typing import Final, Protocol, TypeAlias

from peer.bittorrent.wire.errors import HandshakeError
from peer.bittorrent.wire.handshake import HEADER, is_text

PRIME: Final = int(
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b"
    "302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090563",
    16,
)
GENERATOR: Final = 2
KEY_LENGTH: Final = 96
PRIVATE_LENGTH: Final = 20
"""Bytes of a private key: more make the key exchange slower, and not safer in this group."""
MOST_PAD: Final = 512
DISCARDED: Final = 1024
"""The first bytes of an RC4 stream betray the key, so they are not used."""
MOST_PAYLOAD: Final = 4096
"""Bytes that a caller sends before it has an answer: a handshake, and perhaps a little more."""
_VC: Final = bytes(8)


class Method(IntFlag):
    """How the stream goes on after the handshake."""

    PLAINTEXT = 1
    RC4 = 2


class Cipher(Protocol):
    """One direction of an RC4 stream, from where the last call has left it."""

    def update(self, data: bytes) -> bytes:
        """Return the bytes encrypted, or decrypted, which is the same."""

    def update_into(self, data: memoryview, buf: memoryview) -> int:
        """Write them to a buffer, which may be where they come from; returns their number."""


MakeCipher: TypeAlias = Callable[[bytes], Cipher]
"""Makes a cipher from a key."""
Draw: TypeAlias = Callable[[int], bytes]
"""Returns as many random bytes."""
_Script: TypeAlias = Generator[int, bytes, "Agreement"]
"""Yields how many bytes it needs next, and is sent them."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the stream goes on."""

    method: Method | None
    """None if the other end began in plaintext, and nothing was negotiated."""
    received: bytes = b""
    """The start of the other end's stream, already decrypted."""
    encrypt: Cipher | None = None
    """For what we send; None leaves it as it is."""
    decrypt: Cipher | None = None
    """For what we receive."""


class Negotiation:
    """One end's part in the handshake: a `Caller` or a `Called`."""

    def __init__(self, info_hash: bytes, methods: Sequence[Method], draw: Draw, make_cipher: MakeCipher) -> None:
        """`methods` are those that we agree to, the best one first."""
        self._info_hash = info_hash
        self._methods = methods
        self._draw = draw
        self._make_cipher = make_cipher
        self._private = int.from_bytes(draw(PRIVATE_LENGTH), "big")
        self._received = bytearray()
        self._to_send = bytearray()
        self._secret = b""
        self._encrypt: Cipher
        self._decrypt: Cipher
        self.payload = b""
        """What a caller wants to send first, if it knows that already."""
        self.payload_sent = 0
        """How many bytes of that went along."""
        self.agreement: Agreement | None = None
        """The result, once there is one."""
        self._script = self._follow()
        self._needed = next(self._script)

    def receive(self, data: bytes) -> bytes:
        """Take bytes of the other end, and return those to send, until there is an agreement; raises HandshakeError."""
        self._received += data
        while self.agreement is None and len(self._received) >= self._needed:
            taken = bytes(self._received[: self._needed])
            del self._received[: self._needed]
            try:
                self._needed = self._script.send(taken)
            except StopIteration as end:
                self.agreement = self._with_rest(end.value)
        return self.take()

    def take(self) -> bytes:
        """Return what is to be sent now."""
        sending = bytes(self._to_send)
        self._to_send.clear()
        return sending

    def _follow(self) -> _Script:
        raise NotImplementedError

    def _with_rest(self, agreed: Agreement) -> Agreement:
        rest = bytes(self._received)
        rest = rest if agreed.decrypt is None else agreed.decrypt.update(rest)
        return Agreement(agreed.method, agreed.received + rest, agreed.encrypt, agreed.decrypt)

    def _send_public_key(self) -> None:
        self._to_send += pow(GENERATOR, self._private, PRIME).to_bytes(KEY_LENGTH, "big")
        self._to_send += self._draw(int.from_bytes(self._draw(2), "big") % (MOST_PAD + 1))

    def _share_secret(self, public: bytes, *, is_caller: bool) -> None:
        self._secret = pow(int.from_bytes(public, "big"), self._private, PRIME).to_bytes(KEY_LENGTH, "big")
        ciphers = [self._make_cipher(_hash(name, self._secret, self._info_hash)) for name in (b"keyA", b"keyB")]
        for cipher in ciphers:
            cipher.update(bytes(DISCARDED))
        self._encrypt, self._decrypt = ciphers if is_caller else reversed(ciphers)

    def _agreed(self, method: Method, received: bytes = b"") -> Agreement:
        if method is Method.PLAINTEXT:
            return Agreement(method, received)
        return Agreement(method, received, self._encrypt, self._decrypt)

    @property
    def _offered(self) -> bytes:
        return sum(self._methods).to_bytes(4, "big")

    @property
    def _torrent_proof(self) -> bytes:
        """Shows that the caller knows the torrent, to who knows it too."""
        named, shared = _hash(b"req2", self._info_hash), _hash(b"req3", self._secret)
        return bytes(one ^ other for one, other in zip(named, shared, strict=True))

    def _read_pad(self) -> Generator[int, bytes, None]:
        length = int.from_bytes(self._decrypt.update((yield 2)), "big")
        if length > MOST_PAD:
            raise HandshakeError(f"encrypted handshake: expected a pad of {MOST_PAD} bytes at most, found {length}")
        self._decrypt.update((yield length))


class Caller(Negotiation):
    """The end that dialled; `take` returns its first bytes."""

    def _follow(self) -> _Script:
        self._send_public_key()
        self._share_secret((yield KEY_LENGTH), is_caller=True)
        payload = self.payload[:MOST_PAYLOAD]
        self.payload_sent = len(payload)
        no_pad, length = bytes(2), len(payload).to_bytes(2, "big")
        self._to_send += _hash(b"req1", self._secret) + self._torrent_proof
        self._to_send += self._encrypt.update(_VC + self._offered + no_pad + length + payload)
        yield from _until(self._decrypt.update(_VC))
        chosen = int.from_bytes(self._decrypt.update((yield 4)), "big")
        if chosen not in self._methods:
            raise HandshakeError(f"encrypted handshake: expected one of our methods, found {chosen}")
        yield from self._read_pad()
        return self._agreed(Method(chosen))


class Called(Negotiation):
    """The end that was dialled. The other one may also begin in plaintext, if that is welcome."""

    def __init__(
        self,
        info_hash: bytes,
        methods: Sequence[Method],
        draw: Draw,
        make_cipher: MakeCipher,
        *,
        takes_plaintext: bool = True,
    ) -> None:
        super().__init__(info_hash, methods, draw, make_cipher)
        self._takes_plaintext = takes_plaintext

    def _follow(self) -> _Script:
        front = yield len(HEADER)
        if front == HEADER:
            return self._began_in_plaintext(front)
        if is_text(front):
            raise HandshakeError(f"handshake: expected {HEADER!r} or an encrypted handshake, found {front!r}")
        public = front + (yield KEY_LENGTH - len(front))
        self._send_public_key()
        self._share_secret(public, is_caller=False)
        yield from _until(_hash(b"req1", self._secret))
        if (yield 20) != self._torrent_proof:
            raise HandshakeError("encrypted handshake: expected one for our torrent")
        if self._decrypt.update((yield len(_VC))) != _VC:
            raise HandshakeError("encrypted handshake: expected zeros, found other bytes")
        method = self._choose(int.from_bytes(self._decrypt.update((yield 4)), "big"))
        yield from self._read_pad()
        length = int.from_bytes(self._decrypt.update((yield 2)), "big")
        if length > MOST_PAYLOAD:
            raise HandshakeError(f"encrypted handshake: expected {MOST_PAYLOAD} first bytes at most, found {length}")
        payload = self._decrypt.update((yield length))
        self._to_send += self._encrypt.update(_VC + method.to_bytes(4, "big") + bytes(2))
        return self._agreed(method, payload)

    def _began_in_plaintext(self, front: bytes) -> Agreement:
        if not self._takes_plaintext:
            raise HandshakeError("expected an encrypted handshake, found one in plaintext")
        return Agreement(None, front)

    def _choose(self, offered: int) -> Method:
        for method in self._methods:
            if method & offered:
                return method
        ours = " or ".join(str(int(method)) for method in self._methods)
        raise HandshakeError(f"encrypted handshake: expected method {ours}, found {offered}")


def _until(mark: bytes) -> Generator[int, bytes, None]:
    """Read a pad and the mark behind it."""
    window = yield len(mark)
    for _ in range(MOST_PAD):
        if window == mark:
            return
        window = window[1:] + (yield 1)
    if window != mark:
        raise HandshakeError(f"encrypted handshake: expected a pad of {MOST_PAD} bytes at most, found more")


def _hash(*parts: bytes) -> bytes:
    return sha1(b"".join(parts), usedforsecurity=False).digest()
