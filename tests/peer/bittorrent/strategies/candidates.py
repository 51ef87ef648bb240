"""Neighbours written as short words, and a neighbourhood in virtual time that carries out a choker's decisions."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from peer.bittorrent.engine.strategy import (
    Allocation,
    Candidate,
    Choker,
    ChokingView,
    Trigger,
)

A_LONG_TIME = 3_600.0
PIECE = 256 << 10


def neighbours(words: str) -> list[Candidate]:
    """Make one for each word: the rate at which we receive from it, then marks, as in "15 12* 10! 9- 0+ 7s".

    * we unchoke it, ! it snubs us, - it wants nothing, + it has just come, s it is a seed. Keys are 0, 1, 2...
    """
    return [_neighbour(key, word) for key, word in enumerate(words.split())]


def _neighbour(key: int, word: str) -> Candidate:
    match = re.fullmatch(r"(\d+)([*!+s-]*)", word)
    assert match, word
    rate, marks = float(match[1]), match[2]
    return Candidate(
        key=key,
        known_for=0 if "+" in marks else A_LONG_TIME,
        is_interested="-" not in marks and "s" not in marks,
        is_unchoked="*" in marks,
        is_snubbed="!" in marks,
        is_seed="s" in marks,
        received_rate=rate,
    )


def view_of(
    candidates: Iterable[Candidate], trigger: Trigger = Trigger.ROUND, *, now: float = 0, is_seed: bool = False
) -> ChokingView:
    """Make the input of a choker."""
    return ChokingView(
        now=now, trigger=trigger, candidates=list(candidates), is_seed=is_seed, capacity=None, piece_length=PIECE
    )


class Neighbourhood:
    """Time passes, the choker decides, and unchoked neighbours are served at their `sent_rate`."""

    def __init__(self, choker: Choker, candidates: Iterable[Candidate] = (), *, is_seed: bool = False) -> None:
        self.choker = choker
        self.present = {candidate.key: candidate for candidate in candidates}
        self.is_seed = is_seed
        self.now = 0.0
        self.allocation = Allocation()
        self.seconds_served = Counter[int]()

    @property
    def served(self) -> set[int]:
        """The neighbours that are unchoked and interested."""
        return {each.key for each in self.present.values() if each.is_unchoked and each.is_interested}

    def given(self, reason: str) -> set[int]:
        """Return the neighbours unchoked for this reason in the last decision."""
        return {key for key, grant in self.allocation.grants.items() if grant.reason == reason}

    def come(self, candidate: Candidate) -> None:
        """Add a neighbour, and call the choker."""
        self.present[candidate.key] = candidate
        self.decide(Trigger.CHANGE)

    def change(self, key: int, **fields: object) -> None:
        """Change a neighbour, and call the choker."""
        self.come(replace(self.present[key], **fields))  # type: ignore[arg-type]

    def part(self, key: int) -> None:
        """Remove a neighbour, and call the choker."""
        del self.present[key]
        self.decide(Trigger.CHANGE)

    def round(self, after: float) -> None:
        """Let time pass, then call the choker for a round."""
        self.now += after
        self.present = {key: self._older(each, after) for key, each in self.present.items()}
        self.decide(Trigger.ROUND)

    def decide(self, trigger: Trigger) -> None:
        """Call the choker, and carry out its decision."""
        view = view_of(self.present.values(), trigger, now=self.now, is_seed=self.is_seed)
        self.allocation = self.choker.allocate(view)
        self.present = {key: self._told(each) for key, each in self.present.items()}

    def _older(self, candidate: Candidate, seconds: float) -> Candidate:
        known_for = candidate.known_for + seconds
        if not candidate.is_unchoked:
            return replace(candidate, known_for=known_for)
        self.seconds_served[candidate.key] += round(seconds)
        return replace(
            candidate,
            known_for=known_for,
            unchoked_for=candidate.unchoked_for + seconds,
            sent_since_unchoked=candidate.sent_since_unchoked + round(candidate.sent_rate * seconds),
        )

    def _told(self, candidate: Candidate) -> Candidate:
        is_unchoked = candidate.key in self.allocation.grants
        if is_unchoked == candidate.is_unchoked:
            return candidate
        return replace(candidate, is_unchoked=is_unchoked, unchoked_for=0, sent_since_unchoked=0)
