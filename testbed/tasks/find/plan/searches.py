"""Who looks for what, and when: drawn from a seed, the same wherever it is drawn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from string import ascii_lowercase
from typing import Final

from testbed.tasks.find.plan.content import Catalogue, Thing, draw_catalogue
from testbed.tasks.find.plan.records import FindHosts, FindSettings, PlannedNode, PlannedQueries
from testbed.values.draws import Draws
from testbed.values.spread import spread

MOST_FOLLOWED: Final = 12
"""The searches of a trial of whose messages traces tell one by one. So a trace grows little, however many there are."""
_TRIES: Final = 50


@dataclass(frozen=True, slots=True)
class PlannedSearch:
    """A question that a node asks the overlay."""

    name: str
    """32 hex digits that no other search has."""
    node: str
    at: float
    meant: str
    """What is meant: the whole name of a thing, or words."""
    wanted: str
    """What is asked: the same, with typing errors if there are any."""
    is_exact: bool

    def fits(self, name: str) -> bool:
        """Whether something of this name is what is meant."""
        return name == self.meant if self.is_exact else set(self.meant.split()) <= set(name.split())


@dataclass(frozen=True)
class Scenario:
    """What the nodes of a trial have and look for."""

    catalogue: Catalogue
    searches: tuple[PlannedSearch, ...]
    """In time order."""
    _holders: dict[tuple[str, bool], frozenset[str]] = field(default_factory=dict, init=False, compare=False)
    """Of what is asked for often."""

    @property
    def followed(self) -> tuple[PlannedSearch, ...]:
        """The searches that can be shown again: spread over all, with the first and the last."""
        return spread(self.searches, MOST_FOLLOWED)

    def holders_of(self, search: PlannedSearch) -> frozenset[str]:
        """Return who else has what is meant, there or not."""
        meant = search.meant, search.is_exact
        if meant not in self._holders:
            pairs = zip(self.catalogue.things, self.catalogue.holders, strict=True)
            self._holders[meant] = frozenset(
                holder for thing, holders in pairs if search.fits(thing.name) for holder in holders
            )
        return self._holders[meant] - {search.node}


def draw_scenario(settings: FindSettings, hosts: FindHosts) -> Scenario:
    """Draw the content and the searches of a trial."""
    catalogue = draw_catalogue(settings.content, hosts)
    found = _Asking(settings.queries, hosts, catalogue).searches()
    return Scenario(catalogue, tuple(sorted(found, key=lambda search: (search.at, search.name))))


@dataclass(frozen=True)
class _Asking:
    queries: PlannedQueries
    hosts: FindHosts
    catalogue: Catalogue

    def searches(self) -> Iterator[PlannedSearch]:
        asking = [node for node in self.hosts.nodes if node.asks]
        rate = self.queries.rate or (self.queries.total_rate or 0.0) / max(len(asking), 1)
        cumulative = list(accumulate(self.catalogue.weights))
        for node in asking:
            stream = Draws(self.hosts.draw, {}).stream("searches", node.name)
            for at in self._moments(node, rate, stream):
                if (thing := self._draw_thing(node, cumulative, stream)) is not None:
                    yield self._search(node, at, thing, stream)

    def _moments(self, node: PlannedNode, rate: float, stream: Random) -> Iterator[float]:
        """Yield random moments at which a node is there."""
        at = round(self.queries.begin + stream.expovariate(rate), 6)
        while at < self.queries.end:
            if node.is_there(at):
                yield at
            at = round(at + stream.expovariate(rate), 6)

    def _draw_thing(self, node: PlannedNode, cumulative: Sequence[float], stream: Random) -> Thing | None:
        """Draw a thing by popularity that the node does not have; None if it seems to have all."""
        for _ in range(_TRIES):
            (number,) = stream.choices(range(len(cumulative)), cum_weights=cumulative)
            if node.name not in self.catalogue.holders[number]:
                return self.catalogue.things[number]
        return None

    def _search(self, node: PlannedNode, at: float, thing: Thing, stream: Random) -> PlannedSearch:
        is_exact = self.queries.what == "exact"
        count = len(thing.words) if is_exact else min(self.queries.words, len(thing.words))
        chosen = sorted(stream.sample(range(len(thing.words)), count))
        meant = " ".join(thing.words[k] for k in chosen)
        name = f"{stream.getrandbits(128):032x}"
        return PlannedSearch(name, node.name, at, meant, mistyped(meant, self.queries.typos, stream), is_exact)


def mistyped(text: str, edits: int, stream: Random) -> str:
    """Return a text with some letters replaced, missing or added, at most `edits` away; words stay words."""
    letters = list(text)
    for _ in range(edits):
        places = [k for k, letter in enumerate(letters) if letter != " "]
        place, letter = stream.choice(places), stream.choice(ascii_lowercase)
        match stream.choice(("replace", "remove", "add")):
            case "replace":
                letters[place] = letter
            case "remove" if _may_go(letters, place):
                del letters[place]
            case _:
                letters.insert(place, letter)
    return "".join(letters)


def _may_go(letters: Sequence[str], place: int) -> bool:
    """Whether a letter is not the last one of its word."""
    padded = [" ", *letters, " "]
    return padded[place] != " " or padded[place + 2] != " "
