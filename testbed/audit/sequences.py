"""Two sequences of events side by side: which are the same, and which only one of them has."""

from collections.abc import Collection, Iterable, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

from testbed.audit.seen import Sight
from testbed.audit.traced import Fact

MOST_MATCHED: Final = 2_000
"""The longest stretches without any order in common that are searched for what is the same."""


class Aligned(NamedTuple):
    """What is the same in both, in order, and what is not."""

    pairs: list[tuple[Fact, Sight]]
    only_traced: list[Fact]
    only_seen: list[Sight]


def aligned(facts: Sequence[Fact], sights: Sequence[Sight]) -> Aligned:
    """Pair the events that have the same kind and numbers, without changing the order of either."""
    theirs, ours = [each[:2] for each in facts], [each[:2] for each in sights]
    shorter = min(len(theirs), len(ours))
    begin = next((k for k in range(shorter) if theirs[k] != ours[k]), shorter)
    rest = shorter - begin
    end = next((k for k in range(rest) if theirs[-1 - k] != ours[-1 - k]), rest)
    pairs = list(zip(facts[:begin], sights[:begin], strict=True))
    middle = _middle(facts[begin : len(facts) - end], sights[begin : len(sights) - end])
    ending = list(zip(facts[len(facts) - end :], sights[len(sights) - end :], strict=True))
    return Aligned([*pairs, *middle.pairs, *ending], middle.only_traced, middle.only_seen)


def _middle(facts: Sequence[Fact], sights: Sequence[Sight]) -> Aligned:
    """Pair what is left of both, which begin and end differently."""
    if not facts or not sights or max(len(facts), len(sights)) > MOST_MATCHED:
        return Aligned([], list(facts), list(sights))
    matcher = SequenceMatcher(None, [each[:2] for each in facts], [each[:2] for each in sights], autojunk=False)
    pairs: list[tuple[Fact, Sight]] = []
    only_traced: list[Fact] = []
    only_seen: list[Sight] = []
    for how, first, last, start, stop in matcher.get_opcodes():
        if how == "equal":
            pairs += zip(facts[first:last], sights[start:stop], strict=True)
        else:
            only_traced += facts[first:last]
            only_seen += sights[start:stop]
    return Aligned(pairs, only_traced, only_seen)


TRACKS: Final = (("choke", "unchoke"), ("interested", "not interested"))
"""The messages that change a state, each with the one that tells the state at the beginning."""
BLOCKS: Final = ("request", "piece")
"""The messages that a trace has at the level `full`."""


def tracks_at(level: str) -> tuple[tuple[str, ...], ...]:
    """Return the messages that a trace of this level has, those together of which the order matters."""
    return (*TRACKS, *((kind,) for kind in BLOCKS)) if level == "full" else TRACKS


def telling(sights: Iterable[Sight], kinds: Collection[str]) -> list[Sight]:
    """Return the messages of some kinds of which a trace would have a line."""
    chosen = [sight for sight in sights if sight.kind in kinds]
    first = {"choke": "choke", "interested": "not interested"}
    return next((changes(chosen, state) for kind, state in first.items() if kind in kinds), chosen)


def changes(sights: Iterable[Sight], first: str) -> list[Sight]:
    """Leave out each message that says what holds already; `first` holds at the beginning."""
    found: list[Sight] = []
    state = first
    for sight in sights:
        if sight.kind != state:
            state = sight.kind
            found.append(sight)
    return found
