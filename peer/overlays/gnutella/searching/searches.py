"""The searches of this servent: what was asked, what came of it, and when it is over."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Final

from contract.overlay_events import AnswerCame, SearchBegan, SearchEnded
from peer.net.address import Address
from peer.overlays.content import Item, Wanted, words_of
from peer.overlays.gnutella.routing.queries import is_firewalled
from peer.overlays.gnutella.servent import Servent
from peer.overlays.gnutella.wire.fields import text_size
from peer.overlays.gnutella.wire.messages import Found, QueryHit
from peer.overlays.node import Fetch

_MOST_ANSWERS: Final = 10_000
"""That are recorded of one search."""
_MOST_TEXT: Final = 253
"""Bytes of a question, whose payload of the time was less than 257."""


@dataclass(slots=True)
class Search:
    """One search. Its name in hex is the GUID of its messages, here and at all who pass them on."""

    name: str
    wanted: Wanted
    began: float
    heard: float
    """When the last answer came, or a walker asked."""
    answers: set[tuple[str, Address]] = field(default_factory=set)
    first_hops: int | None = None
    is_led: bool = False
    """Whether it is still being asked, in steps; then silence does not end it."""

    @property
    def guid(self) -> bytes:
        return bytes.fromhex(self.name)


def question_of(wanted: Wanted) -> str:
    """Return the text that is asked: what is wanted, or as many of its words as servents read."""
    text = wanted.text.replace("\0", " ")
    if text_size(text) <= _MOST_TEXT:
        return text
    asked = ""
    for word in words_of(text):
        longer = f"{asked} {word}".strip()
        asked = longer if text_size(longer) <= _MOST_TEXT else asked
    return asked


class Searches:
    """All searches that are not over."""

    def __init__(self, servent: Servent, push: Callable[[QueryHit, Found, str], None]) -> None:
        self._servent: Final = servent
        self._push: Final = push
        self._searches: Final[dict[bytes, Search]] = {}
        self.deadline = inf
        self.ended: Callable[[bytes], None] = lambda _guid: None
        """Hears of every search that is over."""
        self.fetch: Callable[[str, Found, Address], None] = self._fetch_elsewhere
        """Gets what a search found from a holder that can be reached."""

    def __len__(self) -> int:
        return len(self._searches)

    def begin(self, name: str, wanted: Wanted) -> Search:
        search = Search(name, wanted, self._servent.now, self._servent.now)
        self._searches[search.guid] = search
        self._servent.out.record(SearchBegan(name, wanted.text))
        self._set_deadline()
        return search

    def alive(self, guid: bytes) -> Search | None:
        return self._searches.get(guid)

    def got_hit(self, hit: QueryHit) -> None:
        """Take an answer; hits carry more results than one, and words find more than the exact name that we want."""
        search = self._searches.get(hit.guid)
        if search is None:
            return
        for found in hit.results:
            self._take(search, hit, found)
        enough = self._servent.parameters.search.enough
        if enough and len(search.answers) >= enough:
            self.end(search)

    def _take(self, search: Search, hit: QueryHit, found: Found) -> None:
        key = (found.name, hit.address)
        is_wanted = search.wanted.matches(Item(found.name)) and key not in search.answers
        if not is_wanted or len(search.answers) >= _MOST_ANSWERS or hit.address == self._servent.address:
            return
        search.heard, hops = self._servent.now, hit.hops + 1
        is_first = not search.answers
        search.answers.add(key)
        name = found.name.encode(errors="surrogateescape").decode(errors="replace")
        self._servent.out.record(AnswerCame(search.name, name, str(hit.address), hops))
        if is_first:
            search.first_hops = hops
            self._fetch(search, hit, found)

    def _fetch(self, search: Search, hit: QueryHit, found: Found) -> None:
        if not self._servent.parameters.search.fetches:
            return
        if is_firewalled(hit):
            self._push(hit, found, search.name)
        else:
            self.fetch(search.name, found, hit.address)

    def _fetch_elsewhere(self, _search: str, found: Found, holder: Address) -> None:
        self._servent.out.do(Fetch(found.name, holder))

    def led_to_the_end(self, guid: bytes) -> None:
        """Nobody is left to be asked, or enough was found, and the last to be asked had time to answer."""
        search = self._searches.get(guid)
        if search is not None:
            self.end(search)

    def end_late(self) -> None:
        for search in list(self._searches.values()):
            if self._end_of(search) <= self._servent.now:
                self.end(search)
        self._set_deadline()

    def _end_of(self, search: Search) -> float:
        asked = self._servent.parameters.search
        silent = inf if search.is_led else search.heard + asked.silence
        return min(silent, search.began + asked.limit)

    def _set_deadline(self) -> None:
        self.deadline = min(map(self._end_of, self._searches.values()), default=inf)

    def end(self, search: Search, outcome: str = "") -> None:
        """Record what came of a search, once."""
        del self._searches[search.guid]
        found = len(search.answers)
        became = outcome or ("found" if found else "not_found")
        self._servent.out.record(SearchEnded(search.name, became, found, search.first_hops, 0))
        self.ended(search.guid)
        self._set_deadline()

    def end_all(self, outcome: str) -> None:
        for search in list(self._searches.values()):
            self.end(search, outcome)
