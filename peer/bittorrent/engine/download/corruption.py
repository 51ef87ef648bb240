"""Who sent corrupt blocks: a piece has a hash, a block has none, so blame takes some evidence.

    one neighbour sent the whole piece, and it is wrong    that neighbour is guilty
    several did                                            keep the digest and the sender of each block, and let
                                                           one neighbour alone send the piece again:
        it is right                                        who sent a block with another digest is guilty
        it is wrong                                        that one is guilty; let another try

No neighbour is blamed for what others sent of the same piece. The evidence is bounded, and the oldest goes first.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

MOST_PIECES: Final = 32
MOST_ATTEMPTS: Final = 4
"""Failed attempts that are remembered of one piece."""

Attempt: TypeAlias = tuple[tuple[int, bytes], ...]
"""Sender and digest of each block, in order."""


class Corruption:
    """The evidence about pieces that came wrong and have not come right since."""

    __slots__ = ("_attempts",)

    def __init__(self) -> None:
        self._attempts: dict[int, deque[Attempt]] = {}

    def __contains__(self, index: int) -> bool:
        return index in self._attempts

    def failed(self, index: int, senders: Sequence[int], digests: Sequence[bytes]) -> tuple[int, ...]:
        """Record a wrong piece; returns who is guilty. Without digests, only a lone sender can be found out."""
        if len(set(senders)) == 1:
            return (senders[0],)
        if index not in self._attempts and len(self._attempts) == MOST_PIECES:
            del self._attempts[next(iter(self._attempts))]
        attempts = self._attempts.setdefault(index, deque(maxlen=MOST_ATTEMPTS))
        attempts.append(tuple(zip(senders, digests, strict=False)))
        return ()

    def passed(self, index: int, digests: Sequence[bytes]) -> tuple[int, ...]:
        """Take the digests of the blocks of a right piece; returns who is guilty."""
        attempts = self._attempts.pop(index, ())
        return tuple(dict.fromkeys(sender for attempt in attempts for sender in _wrong_in(attempt, digests)))


def _wrong_in(attempt: Attempt, digests: Sequence[bytes]) -> Iterator[int]:
    for (sender, sent), right in zip(attempt, digests, strict=False):
        if sent != right:
            yield sender
