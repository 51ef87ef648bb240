"""The replay of searches: for each, its messages with their times, and the overlay between whose hosts they went.

Times of a search count from its beginning, in units of 0.1 ms, so that they are short.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from testbed.tasks.searches import Acquaintance, Member, Passed, ShownSearch, ShownSearches
from testbed.values.spread import spread

Json: TypeAlias = dict[str, Any]

KIND: Final = "searches"
TICKS: Final = 10_000
"""In a second."""
MOST_MESSAGES: Final = 20_000
"""Of all searches of a replay together; so many take 0.1 to 0.2 MB in the page."""
_PLACE_DIGITS: Final = 9
_JUDGEMENTS: Final = ("right", "stale", "wrong")


@dataclass(frozen=True)
class SearchReplay:
    """The searches of a trial, to be shown again."""

    trial: str
    seconds: float
    found: ShownSearches

    @property
    def is_empty(self) -> bool:
        """Whether no trace says what was sent to whom."""
        return not any(search.messages for search in self.found.searches)

    def as_json(self) -> Json:
        """Return it as the page reads it."""
        searches = shown(self.found.searches)
        numbers = {member.name: number for number, member in enumerate(self.found.members)}
        kinds = sorted({message.kind for search in searches for message in search.messages})
        return {
            "kind": KIND,
            "trial": self.trial,
            "seconds": _time(self.seconds),
            "overlay": self.found.overlay,
            "hosts": [_host(member) for member in self.found.members],
            "links": list(_links(self.found.acquaintances, searches, numbers)),
            "kinds": kinds,
            "answering": [number for number, kind in enumerate(kinds) if kind in self.found.answering],
            "searches": [_search(search, numbers, kinds) for search in searches],
        }


def shown(searches: Sequence[ShownSearch], most: int = MOST_MESSAGES) -> tuple[ShownSearch, ...]:
    """Return as many of the searches as have room together, spread over all; one at least."""
    for count in range(len(searches), 1, -1):
        chosen = spread(searches, count)
        if sum(len(search.messages) for search in chosen) <= most:
            return chosen
    return spread(searches, 1)


def _host(member: Member) -> Json:
    return {
        "name": member.name,
        "group": member.group,
        "role": member.role,
        "tier": int(member.tier),
        "lives": [[_time(begin), _time(end), _place(place)] for begin, end, place in member.lives],
    }


def _links(known: Sequence[Acquaintance], searches: Sequence[ShownSearch], numbers: dict[str, int]) -> Iterator[float]:
    """Yield one, other, begin and end of each link that was there at the beginning of a search."""
    begins = [search.began for search in searches]
    for one, other, begin, end in known:
        if any(begin <= t <= end for t in begins):
            yield from (numbers[one], numbers[other], _time(begin), _time(end))


def _search(search: ShownSearch, numbers: dict[str, int], kinds: Sequence[str]) -> Json:
    messages = search.messages[:MOST_MESSAGES]
    return {
        "node": numbers[search.node],
        "wanted": search.wanted,
        "key": _place(search.key),
        "began": _time(search.began),
        "took": None if search.ended is None else _ticks(search.ended, search),
        "outcome": search.outcome,
        "hops": search.hops,
        "timeouts": search.timeouts,
        "holders": [numbers[holder] for holder in search.holders],
        "answers": [
            [_ticks(answer.t, search), numbers.get(answer.holder), _JUDGEMENTS.index(answer.judgement)]
            for answer in search.answers
        ],
        "unshown": len(search.messages) - len(messages),
        **_columns(messages, search, numbers, kinds),
    }


def _columns(messages: Sequence[Passed], search: ShownSearch, numbers: dict[str, int], kinds: Sequence[str]) -> Json:
    """Return messages as columns, which are compressed better than rows."""
    return {
        "sent": [_ticks(message.sent, search) for message in messages],
        "came": [_ticks(message.came, search) for message in messages],
        "from": [numbers[message.sender] for message in messages],
        "to": [numbers[message.receiver] for message in messages],
        "what": [kinds.index(message.kind) for message in messages],
    }


def _ticks(t: float, search: ShownSearch) -> int:
    return round((t - search.began) * TICKS)


def _place(place: float | None) -> float | None:
    return None if place is None else round(place, _PLACE_DIGITS)


def _time(t: float) -> float:
    return round(t, 2)
