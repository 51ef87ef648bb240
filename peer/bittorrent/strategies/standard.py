"""Tit-for-tat, the standard client, and two that differ from it in the order of pieces alone.

Cohen: Incentives Build Robustness in BitTorrent. P2PEcon 2003.

    serve    each 10 s, of those that want something, those that gave most in the last 20 s, unless they snub us
    try      besides them one by chance for 30 s, the optimistic one; a slot that nobody earns is optimistic too
    ask      for what is rarest, after a first piece by chance; tell everybody of every piece

Numbers and times are the profile's, as real clients differ in them; so is how who has everything serves. Parameters:
`slots`, the optimistic ones included, and `neighbours`, without them as many as the profile has; `departure` `stay`.
Left out: several torrents, among which real clients divide their slots.
"""

from dataclasses import replace
from random import Random

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Strategy
from peer.bittorrent.strategies.parts.advertisers import Honest
from peer.bittorrent.strategies.parts.chokers import TitForTat
from peer.bittorrent.strategies.parts.departures import parse_departure
from peer.bittorrent.strategies.parts.parameters import whole_number
from peer.bittorrent.strategies.parts.peer_policies import Plain
from peer.bittorrent.strategies.parts.pickers import RandomOrder, RarestFirst, Sequential


def tit_for_tat(
    profile: Profile,
    rng: Random,
    *,
    departure: str = "stay",
    slots: int | None = None,
    neighbours: int | None = None,
) -> Strategy:
    """Make BitTorrent's own strategy: serve those that serve us, ask for what is rarest, hide nothing.

    `slots`, the optimistic ones included, replaces what the profile makes of the upload capacity; `neighbours` is how
    many there may be, of which half are looked for.
    """
    profile = with_slots(profile, slots)
    if neighbours is not None:
        most = whole_number("neighbours", neighbours)
        profile = replace(profile, most_neighbours=most, dials_up_to=(most + 1) // 2)
    return Strategy(
        name="tit-for-tat",
        choker=TitForTat(profile, rng),
        picker=RarestFirst(profile.random_first_pieces),
        advertiser=Honest(),
        peer_policy=Plain(profile),
        departure=parse_departure(departure),
    )


def with_slots(profile: Profile, slots: int | None) -> Profile:
    """Change how many neighbours a profile unchokes, the optimistic ones included; None leaves it as it is."""
    return profile if slots is None else replace(profile, all_slots=whole_number("slots", slots))


def sequential(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    """Make the standard strategy with pieces asked for from first to last."""
    return replace(tit_for_tat(profile, rng, departure=departure, slots=slots), name="sequential", picker=Sequential())


def random_order(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    """Make the standard strategy with pieces asked for by chance."""
    return replace(
        tit_for_tat(profile, rng, departure=departure, slots=slots), name="random-order", picker=RandomOrder()
    )
