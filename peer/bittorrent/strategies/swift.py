"""Swift: distribute the file to everybody as soon as the protocol allows, with any neighbours. It is no paper's.

    A seed gives the pieces one after the other, each once, then helps those that have least (`unveiling`).
    A leech plays tit-for-tat, but begins with two slots, and has one more for every two pieces that it has.
    Who began as a leech and is complete serves a few at a time, those that have least.

The bound max{F/u_s, F/d_min, NF/(u_s + sum u_i)} assumes that every uplink is busy from the first moment to the last.
A swarm loses time at the start, until everybody has something to send, and at the end, when some are complete and
others are not. At the start few pieces are to be sent at a time, by seeds and by leeches alike, so that each of them
soon is one more source. Later many slots are right: a leech that serves few idles when these want nothing.

Parameters: `first_slots` 2, `pieces_a_slot` 2, `seed_slots` 4; `slots` is how far a leech's slots grow, without it as
far as the mainline client's by upload capacity, whatever the profile. Left out: anything that costs a neighbour, or
that only works among one's own kind.
"""

from dataclasses import replace
from random import Random
from typing import Final

from peer.bittorrent.engine.profile import MAINLINE_LADDER, Profile
from peer.bittorrent.engine.strategy import ChokingView, Strategy
from peer.bittorrent.strategies.parts.chokers import TitForTat
from peer.bittorrent.strategies.parts.parameters import whole_number
from peer.bittorrent.strategies.parts.staged_reveal import Unveiling
from peer.bittorrent.strategies.seed_policies import LeastFirst
from peer.bittorrent.strategies.standard import tit_for_tat, with_slots


class Growing(TitForTat):
    """Tit-for-tat with few slots for who has little, as many as the profile says later."""

    def __init__(self, profile: Profile, rng: Random, *, first_slots: int, pieces_a_slot: int, seed: Unveiling) -> None:
        super().__init__(profile, rng)
        self._as_seed = seed
        self._first_slots: Final = first_slots
        self._pieces_a_slot: Final = pieces_a_slot

    def _slots(self, view: ChokingView) -> int:
        return min(super()._slots(view), self._first_slots + view.have_count // self._pieces_a_slot)


def swift(
    profile: Profile,
    rng: Random,
    *,
    first_slots: int = 2,
    pieces_a_slot: int = 2,
    seed_slots: int = 4,
    departure: str = "stay",
    slots: int | None = None,
) -> Strategy:
    """Make a client that is swift as a leech, and as a seed."""
    seed = Unveiling(LeastFirst(whole_number("seed_slots", seed_slots)), rng)
    choker = Growing(
        with_slots(replace(profile, all_slots=MAINLINE_LADDER), slots),
        rng,
        first_slots=whole_number("first_slots", first_slots),
        pieces_a_slot=whole_number("pieces_a_slot", pieces_a_slot),
        seed=seed,
    )
    return replace(
        tit_for_tat(profile, rng, departure=departure, slots=slots), name="swift", choker=choker, advertiser=seed
    )
