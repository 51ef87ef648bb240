"""Choking rounds: the strategy decides whom to serve every rechoke period, and in between when interest changed."""

from collections.abc import Sequence
from math import inf
from typing import Final

from peer.bittorrent.engine.connections.neighbour import snapshot
from peer.bittorrent.engine.context import Context
from peer.bittorrent.engine.strategy import (
    Candidate,
    ChokingView,
    Trigger,
)
from peer.bittorrent.engine.upload.upload import Upload
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.metainfo.metainfo import Info

NOT_CHOSEN: Final = "not chosen"
REACTION: Final = 0.05
"""Seconds between a change of interest and the decision that answers it."""
REACTIONS_A_ROUND: Final = 5
"""The most decisions between two rounds while they change nothing."""


class ChokingRounds:
    """When the choker is asked, what it sees, and how its decision is carried out."""

    def __init__(self, context: Context, info: Info, have: Bitfield, upload: Upload) -> None:
        self._choker = context.strategy.choker
        self._profile = context.profile
        self._capacity = context.capacity
        self._piece_length = info.piece_length
        self._have = have
        self._outbox = context.outbox
        self._upload = upload
        self._neighbours = context.neighbours
        self._next_at = context.outbox.now + context.profile.rechoke_period
        self._react_at = inf
        self._patience = REACTION

    @property
    def next_at(self) -> float:
        """When to call `decide`."""
        return min(self._next_at, self._react_at)

    def interest_changed(self, *, frees_slot: bool) -> None:
        """A neighbour became interested, lost interest, or left: ask the choker soon.

        Changes come in bursts. Those within a moment are answered together, and some are reversed by then. While all
        slots are taken, a neighbour that becomes interested changes nothing: such changes are answered more and more
        slowly, until a slot is free.
        """
        if frees_slot:
            self._patience = REACTION
        self._react_at = min(self._react_at, self._outbox.now + self._patience)

    def decide(self, *, is_seed: bool) -> Sequence[Candidate] | None:
        """Ask the choker, if that is due; returns what the strategy saw if this was a round, None in between."""
        now = self._outbox.now
        if now < self._next_at:
            if now >= self._react_at:
                self._react(is_seed=is_seed)
            return None
        while self._next_at <= now:
            self._next_at += self._profile.rechoke_period
        candidates = self._ask_choker(Trigger.ROUND, is_seed=is_seed)
        for neighbour in self._neighbours.values():
            neighbour.start_round(now)
        return candidates

    def _react(self, *, is_seed: bool) -> None:
        before = self._unchoked()
        self._ask_choker(Trigger.CHANGE, is_seed=is_seed)
        longest = max(REACTION, self._profile.rechoke_period / REACTIONS_A_ROUND)
        self._patience = REACTION if self._unchoked() != before else min(2 * self._patience, longest)

    def _unchoked(self) -> list[int]:
        return [each.key for each in self._neighbours.values() if each.up.is_unchoked]

    def _ask_choker(self, trigger: Trigger, *, is_seed: bool) -> Sequence[Candidate]:
        self._react_at = inf
        now = self._outbox.now
        candidates = [snapshot(each, now) for each in self._neighbours.values() if each.is_handshaken]
        view = ChokingView(
            now=now,
            trigger=trigger,
            candidates=candidates,
            is_seed=is_seed,
            capacity=self._capacity,
            sent_rate=sum(candidate.sent_rate for candidate in candidates),
            piece_length=self._piece_length,
            piece_count=self._have.size,
            have_count=self._have.count,
        )
        allocation = self._choker.allocate(view)
        for candidate in candidates:
            if candidate.is_unchoked and candidate.key not in allocation.grants:
                reason = allocation.refusals.get(candidate.key, NOT_CHOSEN)
                self._upload.choke(self._neighbours[candidate.key], reason)
        for key, grant in allocation.grants.items():
            self._upload.unchoke(self._neighbours[key], grant)
        return candidates
