"""Controls: the standard client with one half of its choking taken away, to see what that half is worth.

    random-unchoke    all slots by chance, drawn anew in each round: neither what neighbours give nor turns count
    optimistic-only   all slots optimistic: turns by chance as long as an optimistic one lasts, and newcomers' bias
    no-optimistic     all slots for those that give most; those that nobody earns are still filled by chance, for as
                      long as that is so, or no swarm would begin

Who has everything serves as a seed of the profile does. They are no paper's. Parameters: `slots`,
without it as many as the profile has; `departure` `stay`.
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
    """Serves whom chance will have."""

    def allot(self, view: ChokingView) -> Allocation:
        """In a round, draw all anew; in between, fill free slots."""
        if view.is_seed:
            return super().allot(view)
        slots = self._profile.slots(view.capacity)
        wanting = [candidate for candidate in view.candidates if candidate.is_interested]
        self._rng.shuffle(wanting)
        if view.trigger is Trigger.CHANGE:
            wanting.sort(key=lambda candidate: not candidate.is_unchoked)
        reason = DRAWN if len(wanting) > slots else FREE_SLOT
        grants = {candidate.key: Grant(reason) for candidate in wanting[:slots]}
        return refuse_others(view, grants, lambda _: NOT_DRAWN)


def random_unchoke(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    """Make a client that serves by chance alone."""
    standard = tit_for_tat(profile, rng, departure=departure, slots=slots)
    own = with_slots(profile, slots)
    return replace(standard, name="random-unchoke", choker=RandomUnchoke(own, rng))


def optimistic_only(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    """Make a client all of whose slots are optimistic."""
    changed = replace(profile, optimistic_slots=ALL, readies_givers=False)
    return replace(tit_for_tat(changed, rng, departure=departure, slots=slots), name="optimistic-only")


def no_optimistic(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    """Make a client without optimistic slots: those it had are for reciprocation too."""
    changed = replace(profile, optimistic_slots=0)
    return replace(tit_for_tat(changed, rng, departure=departure, slots=slots), name="no-optimistic")
