"""What there is to find, and who has it: drawn from a seed, the same wherever it is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import floor
from random import Random
from typing import Final

from testbed.tasks.find.plan.records import FindHosts, PlannedContent, PlannedNode
from testbed.values.draws import Draws

_CONSONANTS: Final = "bdfgklmnprstvzj"
_VOWELS: Final = "aeiou"
_SYLLABLES: Final = tuple(first + second for first in _CONSONANTS for second in _VOWELS)
_WORDS: Final = len(_SYLLABLES) ** 3
_STEP: Final = 7919
"""Has no divisor in common with the number of words, so that each number gives another word."""
_TRIES: Final = 50


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that nodes have, and look for."""

    number: int
    """0 is the most popular."""
    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """What it is called, exactly."""
        return " ".join(self.words)


@dataclass(frozen=True)
class Catalogue:
    """All things, the most popular first, and who has them."""

    things: tuple[Thing, ...]
    weights: tuple[float, ...]
    """How popular each is; the sum is 1."""
    holders: tuple[tuple[str, ...], ...]
    """By thing, the nodes that have it."""

    def held_by(self, node: str) -> list[Thing]:
        """Return what a node has."""
        return [thing for thing, holders in zip(self.things, self.holders, strict=True) if node in holders]

    @property
    def copies(self) -> int:
        """How many copies of things there are."""
        return sum(map(len, self.holders))


def draw_catalogue(content: PlannedContent, hosts: FindHosts) -> Catalogue:
    """Draw names and holders."""
    draws = Draws(hosts.draw, {})
    weights = zipf(content.items, content.zipf)
    sharing = [node for node in hosts.nodes if node.shares]
    holders = _draw_holders(_copies(content, weights, len(sharing)), sharing, draws)
    return Catalogue(tuple(_draw_things(content, draws)), weights, holders)


def zipf(count: int, exponent: float) -> tuple[float, ...]:
    """Return the probabilities of ranks: the k-th is in proportion to 1/k^exponent."""
    raw = [k**-exponent for k in range(1, count + 1)]
    return tuple(each / sum(raw) for each in raw)


def _copies(content: PlannedContent, weights: Sequence[float], sharing: int) -> list[int]:
    """Return how many copies each thing has; no node has two copies of one thing."""
    if content.total is None:
        return [min(content.each or 0, sharing)] * len(weights)
    return apportioned(content.total, weights, most=sharing)


def apportioned(total: int, weights: Sequence[float], most: int) -> list[int]:
    """Divide a number in proportion to weights, at most `most` each, and if it is enough, at least one each.

    What one cannot take goes to those that can, by largest remainders. Less than `total` is given if all have the most.
    """
    floor_ = 1 if total >= len(weights) else 0
    shares = [min(most, floor_)] * len(weights)
    while (left := total - sum(shares)) > 0 and (open_ := [k for k, share in enumerate(shares) if share < most]):
        whole = sum(weights[k] for k in open_)
        wanted = {k: left * weights[k] / whole for k in open_}
        given = {k: min(most - shares[k], floor(part)) for k, part in wanted.items()}
        if not any(given.values()):
            by_remainder = sorted(open_, key=lambda k: (floor(wanted[k]) - wanted[k], k))
            given = dict.fromkeys(by_remainder[:left], 1)
        for k, part in given.items():
            shares[k] += part
    return shares


def _draw_holders(copies: Sequence[int], sharing: Sequence[PlannedNode], draws: Draws) -> tuple[tuple[str, ...], ...]:
    names = [node.name for node in sharing]
    return tuple(tuple(draws.stream("holders", number).sample(names, count)) for number, count in enumerate(copies))


def _draw_things(content: PlannedContent, draws: Draws) -> list[Thing]:
    """Draw names; all are different."""
    cumulative = list(accumulate(zipf(content.vocabulary, content.words_zipf)))
    taken: set[tuple[str, ...]] = set()
    things = []
    for number in range(content.items):
        stream = draws.stream("name", number)
        words = next(
            (found for _ in range(_TRIES) if (found := _draw_words(content, cumulative, stream)) not in taken), None
        )
        words = words or (*_draw_words(content, cumulative, stream)[:-1], f"{word(number)}{number}")
        taken.add(words)
        things.append(Thing(number, words))
    return things


def _draw_words(content: PlannedContent, cumulative: Sequence[float], stream: Random) -> tuple[str, ...]:
    """Draw the words of a name, all different."""
    found: dict[str, None] = {}
    ranks = range(content.vocabulary)
    for _ in range(_TRIES * content.words):
        if len(found) == content.words:
            break
        found[word(stream.choices(ranks, cum_weights=cumulative)[0])] = None
    for rank in ranks:  # where few words are common, the others may never be drawn
        if len(found) == content.words:
            break
        found[word(rank)] = None
    return tuple(found)


def word(number: int) -> str:
    """Return a word that can be spoken, another for each number below 421 875."""
    rest, parts = (number * _STEP + _STEP) % _WORDS, []
    for _ in range(3):
        rest, syllable = divmod(rest, len(_SYLLABLES))
        parts.append(_SYLLABLES[syllable])
    return "".join(parts)
