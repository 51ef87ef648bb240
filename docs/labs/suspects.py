"""The peers of assignment 3. Some are free riders: each is drawn from the seed of its trial."""

from dataclasses import replace
from random import Random
from typing import Final

from peer.bittorrent.strategies.api import Allocation, ChokingView, Grant, Profile, Strategy, tit_for_tat

_SILENT: Final = 0.2
_STINGY: Final = 0.4
_TRICKLE: Final = 1_000
"""Bytes/s for each neighbour: enough to look generous to whoever counts unchokes."""


class Silent:
    """Serves nobody."""

    def allocate(self, _view: ChokingView) -> Allocation:
        return Allocation({})


class Stingy:
    """Serves everybody, and next to nothing."""

    def allocate(self, view: ChokingView) -> Allocation:
        return Allocation({each.key: Grant("free slot", _TRICKLE) for each in view.candidates if each.is_interested})


def suspect(profile: Profile, rng: Random, *, departure: str = "stay") -> Strategy:
    """Draw what a peer is: silent, stingy, or an ordinary client."""
    standard, drawn = replace(tit_for_tat(profile, rng, departure=departure), name="suspect"), rng.random()
    if drawn < _SILENT:
        return replace(standard, choker=Silent())
    return replace(standard, choker=Stingy()) if drawn < _STINGY else standard
