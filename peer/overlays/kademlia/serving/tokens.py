"""Tokens: who has one receives at the host that he claims, and so may announce that host.

A token is the SHA-1 of the host and a secret, as in BEP 5. The secret changes every five minutes, and the one before it
is still accepted: a token is good for five minutes at least, and ten at most. Nothing is kept for each token.
"""

from hashlib import sha1
from random import Random
from typing import Final

_SECRET: Final = 16
_TOKEN: Final = 8


class Tokens:
    """Gives tokens and recognises them."""

    def __init__(self, period: float, rng: Random, now: float = 0.0) -> None:
        self._period: Final = period
        self._rng: Final = rng
        self._secrets = [rng.randbytes(_SECRET), rng.randbytes(_SECRET)]
        """The current one, and the one before it."""
        self._changes_at = now + period

    def give(self, host: str, now: float) -> bytes:
        """Return the token of a host."""
        self._change(now)
        return _token(host, self._secrets[0])

    def accepts(self, token: bytes, host: str, now: float) -> bool:
        """Whether a host was given this token lately."""
        self._change(now)
        return any(token == _token(host, secret) for secret in self._secrets)

    def _change(self, now: float) -> None:
        if now < self._changes_at:
            return
        is_long_ago = now >= self._changes_at + self._period
        before = self._rng.randbytes(_SECRET) if is_long_ago else self._secrets[0]
        self._secrets = [self._rng.randbytes(_SECRET), before]
        self._changes_at = now + self._period if is_long_ago else self._changes_at + self._period


def _token(host: str, secret: bytes) -> bytes:
    return sha1(host.encode() + secret, usedforsecurity=False).digest()[:_TOKEN]
