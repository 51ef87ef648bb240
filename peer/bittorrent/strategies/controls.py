"""Controls: the standard client without one half of its choking, to measure what that half is worth.

    random-unchoke    all slots random, drawn anew in each round: neither uploads to us nor earlier turns count
    optimistic-only   all slots optimistic: each is random for one optimistic period, with the bias for newcomers
    no-optimistic     all slots for those that upload most to us; slots that none of them earns
                      are still filled at random, or no swarm could start

A seed serves as the profile says. None of them is from a paper. Parameters: `slots`, by default those of the profile;
`departure` `stay`.
"""

from dataclasses import replace
from random import Random
from typing import Final

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import (
    Allocation,
    ChokingView,
    Grant,
    Strategy,
    Trigger,
)
from peer.bittorrent.strategies.parts.chokers import TitForTat
from peer.bittorrent.strategies.parts.seed_chokers import FREE_SLOT, refuse_others
from peer.bittorrent.strategies.standard import tit_for_tat, with_slots

DRAWN: Final = "drawn"
NOT_DRAWN: Final = "not drawn"
ALL: Final = 1_000_000
"""More slots than a client has."""


class RandomUnchoke(TitForTat):
    """Serves neighbours drawn at random."""

    def allocate(self, view: ChokingView) -> Allocation:
        """In a round, draw all slots anew; between rounds, fill free slots."""
        if view.is_seed:
            return super().allocate(view)
        slots = self._profile.slots(view.capacity)
        wanting = [candidate for candidate in view.candidates if candidate.is_interested]
        self._rng.shuffle(wanting)
        if view.trigger is Trigger.CHANGE:
            wanting.sort(key=lambda candidate: not candidate.is_unchoked)
        reason = DRAWN if len(wanting) > slots else FREE_SLOT
        grants = {candidate.key: Grant(reason) for candidate in wanting[:slots]}
        return refuse_others(view, grants, lambda _: NOT_DRAWN)


def random_unchoke(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    standard = tit_for_tat(profile, rng, departure=departure, slots=slots)
    own = with_slots(profile, slots)
    return replace(standard, name="random-unchoke", choker=RandomUnchoke(own, rng))


def optimistic_only(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    """Make a client with optimistic slots only; it readies no givers either."""
    changed = replace(profile, optimistic_slots=ALL, readies_givers=False)
    return replace(tit_for_tat(changed, rng, departure=departure, slots=slots), name="optimistic-only")


def no_optimistic(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    """Make a client whose optimistic slots are reciprocating ones too."""
    changed = replace(profile, optimistic_slots=0)
    return replace(tit_for_tat(changed, rng, departure=departure, slots=slots), name="no-optimistic")
