"""The standard client, and two that differ from it in the order of pieces alone."""

from dataclasses import replace
from random import Random

from peer.strategies.appetites import Plain
from peer.strategies.chokers import TitForTat
from peer.strategies.departures import parse_departure
from peer.strategies.heralds import Honest
from peer.strategies.pickers import RandomOrder, RarestFirst, Sequential
from peer.strategies.seam import Strategy
from peer.swarm.profile import Profile


def tit_for_tat(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    """Make BitTorrent's own strategy: serve those that serve us, ask for what is rarest, hide nothing.

    `slots`, the optimistic ones included, replaces what the profile makes of the upload capacity.
    """
    if slots is not None:
        profile = replace(profile, all_slots=_checked(slots))
    return Strategy(
        name="tit-for-tat",
        choker=TitForTat(profile, rng),
        picker=RarestFirst(profile.random_first_pieces),
        herald=Honest(),
        appetite=Plain(profile),
        departure=parse_departure(departure),
    )


def sequential(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    """Make the standard strategy with pieces asked for from first to last."""
    return replace(tit_for_tat(profile, rng, departure=departure, slots=slots), name="sequential", picker=Sequential())


def random_order(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    """Make the standard strategy with pieces asked for by chance."""
    return replace(
        tit_for_tat(profile, rng, departure=departure, slots=slots), name="random-order", picker=RandomOrder()
    )


def _checked(slots: object) -> int:
    """Parameters come from a user, through no type checker."""
    if not isinstance(slots, int) or isinstance(slots, bool) or slots < 1:
        raise ValueError(f"slots: expected a whole number, 1 or more, found {slots!r}")
    return slots
