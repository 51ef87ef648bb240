"""Selfish and altruist: the standard client, which goes when it has everything, or stays to give.

Both are `tit-for-tat` with a departure, and nothing else: they are here because studies of incentives call them so.

    selfish     leaves at completion
    altruist    stays, and serves as a seed

Parameters: those of `tit-for-tat`. Left out: an altruist that gives more than tit-for-tat while it downloads.
"""

from dataclasses import replace
from random import Random

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Strategy
from peer.bittorrent.strategies.standard import tit_for_tat


def selfish(profile: Profile, rng: Random, *, departure: str = "at-completion", slots: int | None = None) -> Strategy:
    """Make the standard client that goes as soon as it has what it came for."""
    return replace(tit_for_tat(profile, rng, departure=departure, slots=slots), name="selfish")


def altruist(profile: Profile, rng: Random, *, departure: str = "stay", slots: int | None = None) -> Strategy:
    """Make the standard client that stays."""
    return replace(tit_for_tat(profile, rng, departure=departure, slots=slots), name="altruist")
