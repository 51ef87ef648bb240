"""False pieces: claim missing pieces, so that more neighbours are interested and reciprocate.

Liogkas, Nelson, Kohler, Zhang: Exploiting BitTorrent for Fun (But Not Profit). IPTPS 2006; the third of its exploits.

    claims a share of the pieces that it lacks, besides those it has
    answers requests for them with garbage (or optionally not at all)
    is a standard client otherwise: all that it uploads, garbage included, is reciprocated until it is found out

Parameters: `share` 0.5 of the missing pieces; `answer` `garbage` or `nothing`. Left out: choosing the best pieces to
claim; here they are drawn at random, once. With a share of 1 it looks like a seed, and seeds disconnect from it.
"""

from dataclasses import replace
from random import Random
from typing import Final

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Garbage, Strategy
from peer.bittorrent.strategies.parts.advertisers import ClaimsMore
from peer.bittorrent.strategies.parts.chokers import ServesGarbage
from peer.bittorrent.strategies.parts.parameters import one_of
from peer.bittorrent.strategies.standard import tit_for_tat

ANSWERS: Final = {"garbage": Garbage.MISSING, "nothing": Garbage.NEVER}


def false_pieces(
    profile: Profile,
    rng: Random,
    *,
    share: float = 0.5,
    answer: str = "garbage",
    departure: str = "stay",
    slots: int | None = None,
) -> Strategy:
    standard = tit_for_tat(profile, rng, departure=departure, slots=slots)
    garbage = ANSWERS[one_of("answer", answer, list(ANSWERS))]
    return replace(
        standard,
        name="false-pieces",
        choker=ServesGarbage(standard.choker, garbage),
        advertiser=ClaimsMore(share, rng),
    )
