"""Rounds: every rechoke period the strategy decides anew whom to serve, and in between when something changed."""

from collections.abc import Sequence
from math import inf
from typing import Final

from peer.bittorrent.engine.connections.neighbour import Neighbour, snapshot
from peer.bittorrent.engine.outbox import Outbox
from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import (
    Candidate,
    Choker,
    ChokingView,
    Trigger,
)
from peer.bittorrent.engine.upload.upload import Serving
from peer.bittorrent.wire.bitfield import Bitfield

NOT_CHOSEN: Final = "not chosen"
REACTION: Final = 0.05
"""Seconds between a change and the decision that answers it."""
REACTIONS_A_ROUND: Final = 5
"""While decisions between rounds change nothing, there are no more of them than so many in a round."""


class Rounds:
    """When the choker is asked, what it sees, and how its decision is carried out."""

    def __init__(
        self,
        *,
        choker: Choker,
        profile: Profile,
        capacity: float | None,
        piece_length: int,
        have: Bitfield,
        outbox: Outbox,
        serving: Serving,
        neighbours: dict[int, Neighbour],
    ) -> None:
        self._choker = choker
        self._profile = profile
        self._capacity = capacity
        self._piece_length = piece_length
        self._have = have
        self._outbox = outbox
        self._serving = serving
        self._neighbours = neighbours
        self._next_at = outbox.now + profile.rechoke_period
        self._react_at = inf
        self._patience = REACTION

    @property
    def next_at(self) -> float:
        """When something is due."""
        return min(self._next_at, self._react_at)

    def changed(self, *, frees_slot: bool) -> None:
        """Take note that somebody came to be interested, lost interest, or left: the choker is to be asked soon.

        Changes come in swarms. Those within a moment are answered together, and many a one has passed by then. When all
        slots are taken, who becomes interested changes nothing: such changes are answered more and more slowly, until a
        slot is free.
        """
        if frees_slot:
            self._patience = REACTION
        self._react_at = min(self._react_at, self._outbox.now + self._patience)

    def candidates(self) -> Sequence[Candidate]:
        """Make snapshots of all neighbours that shook hands."""
        now = self._outbox.now
        return [snapshot(each, now) for each in self._neighbours.values() if each.is_handshaken]

    def hold(self, *, is_seed: bool) -> Sequence[Candidate] | None:
        """Ask the choker, if that is due; returns what the strategy saw in a round, None in between."""
        now = self._outbox.now
        if now < self._next_at:
            if now >= self._react_at:
                self._react(is_seed=is_seed)
            return None
        while self._next_at <= now:
            self._next_at += self._profile.rechoke_period
        candidates = self._allot(Trigger.ROUND, is_seed=is_seed)
        for neighbour in self._neighbours.values():
            neighbour.note_round(now)
        return candidates

    def _react(self, *, is_seed: bool) -> None:
        served = self._served()
        self._allot(Trigger.CHANGE, is_seed=is_seed)
        longest = max(REACTION, self._profile.rechoke_period / REACTIONS_A_ROUND)
        self._patience = REACTION if self._served() != served else min(2 * self._patience, longest)

    def _served(self) -> list[int]:
        return [each.key for each in self._neighbours.values() if each.up.is_unchoked]

    def _allot(self, trigger: Trigger, *, is_seed: bool) -> Sequence[Candidate]:
        self._react_at = inf
        candidates = self.candidates()
        view = ChokingView(
            now=self._outbox.now,
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
                self._serving.choke(self._neighbours[candidate.key], reason)
        for key, grant in allocation.grants.items():
            self._serving.unchoke(self._neighbours[key], grant)
        return candidates
