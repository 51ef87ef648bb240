"""Seed drain: take what a seed can give, so that others get less; a bandwidth attack on seeds.

Adamsky, Khayam, Jäger, Rajarajan: Stealing Bandwidth from BitTorrent Seeders. Computers & Security, 2014.

    asks seeds alone, as fast as its link allows; announces nothing and uploads nothing
    with everything, forgets it all and begins again as somebody else, who lacks everything
    so it stands in each seed's choice for ever, and at a seed that prefers who takes fastest, first

Parameters: `connections` 500. Left out: the exploit by which the paper's attackers come in again sooner than others,
which its abstract does not describe. This one only takes, and its gain lies in how the seed chooses.
"""

from dataclasses import replace
from random import Random

from peer.strategies.departures import parse_departure
from peer.strategies.free_riding import MANY, LargeView
from peer.strategies.lies import ClaimsNothing
from peer.strategies.rebirth import LivesOften
from peer.strategies.seam import ProgressView, Strategy
from peer.strategies.seeds_only import AsksSeeds, seeds_only
from peer.swarm.actions import Leave
from peer.swarm.profile import Profile


class AtCompletion:
    """A life lasts until everything is here."""

    def is_due(self, view: ProgressView) -> bool:
        """Whether there is nothing left to take."""
        return view.completed_at is not None


def seed_drain(profile: Profile, rng: Random, *, connections: int = MANY, departure: str = "stay") -> Strategy:
    """Make a client that never has enough."""
    leave = Leave("to take it again", back_after=0, forgets=True)
    return replace(
        seeds_only(profile, rng),
        name="seed-drain",
        herald=ClaimsNothing(),
        appetite=AsksSeeds(LargeView(profile, connections)),
        departure=LivesOften(AtCompletion(), parse_departure(departure), leave),
    )
