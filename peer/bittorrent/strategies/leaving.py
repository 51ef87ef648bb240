"""Selfish and altruist: the standard client that leaves at completion, or stays to seed.

Both are `tit-for-tat` with a departure and nothing else; studies of incentives use these names.

    selfish     leaves at completion
    altruist    stays as a seed

Parameters: those of `tit-for-tat` except `neighbours`. Left out: an altruist that uploads more than tit-for-tat
while it downloads.
"""

from dataclasses import replace
from random import Random

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Strategy
from peer.bittorrent.strategies.standard import tit_for_tat


def selfish(profile: Profile, rng: Random, *, departure: str = "at-completion", slots: int | None = None) -> Strategy:
    return replace(tit_for_tat(profile, rng, departure=departure, slots=slots), name="selfish")


def altruist(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    return replace(tit_for_tat(profile, rng, departure=departure, slots=slots), name="altruist")
