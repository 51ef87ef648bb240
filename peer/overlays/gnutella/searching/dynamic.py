"""Dynamic queries: an ultrapeer asks a few neighbours, sees what comes, and asks one after the other."""

from collections.abc import Callable
from math import inf
from typing import Final

from peer.overlays.gnutella.links import Link
from peer.overlays.gnutella.searching.horizon import hosts_within, next_ttl
from peer.overlays.gnutella.servent import Servent
from peer.overlays.gnutella.wire.messages import Query, QueryHit


class Led:
    """One query that is asked in steps."""

    def __init__(self, query: Query, wanted: int, links: list[Link]) -> None:
        self.query: Final = query
        self.wanted: Final = wanted
        self.links: Final = links
        """Neighbours that were not asked."""
        self.results = 0
        self.horizon = 0
        """Ultrapeers that were reached, in theory."""
        self.time = 0.0
        """Of the next step."""


class DynamicQueries:
    """The queries that this ultrapeer leads, for itself and for its leaves."""

    def __init__(self, servent: Servent, ended: Callable[[bytes], None]) -> None:
        self._servent: Final = servent
        self._ended: Final = ended
        self._led: Final[dict[bytes, Led]] = {}
        self.deadline = inf

    def __len__(self) -> int:
        return len(self._led)

    def lead(self, query: Query, source: Link | None) -> bool:
        """Begin with a probe, of a query as it is to be sent but for its TTL; false if too many are under way."""
        rules = self._servent.parameters.dynamic
        if len(self._led) >= rules.at_once:
            return False
        links = [link for link in self._servent.links.peers if link is not source]
        self._servent.rng.shuffle(links)
        led = Led(query, rules.wanted_by_leaf if source else rules.wanted, links)
        self._led[query.guid] = led
        self._probe(led)
        return True

    def _probe(self, led: Led) -> None:
        """Ask some at once, and first those whose tables say that they have something."""
        rules = self._servent.parameters.dynamic
        led.links.sort(key=lambda link: link.incoming.known is None or not link.incoming.may_have(led.query.text))
        probed, led.links[:] = led.links[: rules.probe_links], led.links[rules.probe_links :]
        for link in probed:
            self._ask(led, link, rules.probe_ttl)
        led.time = self._servent.now + rules.probe_wait
        self._set_deadline()

    def _ask(self, led: Led, link: Link, ttl: int) -> bool:
        """Ask one neighbour; false if its table says that this is in vain."""
        ttl = min(ttl, link.most_ttl)
        led.horizon += hosts_within(link.degree, ttl)
        if ttl == 1 and not link.incoming.may_have(led.query.text):
            return False
        query = led.query
        asked = Query(query.guid, ttl, query.hops, query.text, query.speed, query.extension)
        self._servent.send(link, asked, query.guid.hex())
        return True

    def count(self, hit: QueryHit) -> None:
        """See an answer that passes."""
        led = self._led.get(hit.guid)
        if led is not None:
            led.results += len(hit.results)

    def step(self) -> None:
        """Go on with those whose time has come."""
        for guid, led in list(self._led.items()):
            if led.time <= self._servent.now and guid in self._led:
                self._go_on(led)
        self._set_deadline()

    def _go_on(self, led: Led) -> None:
        while not self._is_over(led):
            link = led.links.pop(0)
            ttl = self._ttl_for(led, link)
            if link.number in self._servent.links.all and self._ask(led, link, ttl):
                led.time = self._servent.now + ttl * self._servent.parameters.dynamic.hop_wait
                return
        del self._led[led.query.guid]
        self._ended(led.query.guid)

    def _is_over(self, led: Led) -> bool:
        horizon = self._servent.parameters.dynamic.horizon
        return not led.links or led.results >= led.wanted or led.horizon >= horizon

    def _ttl_for(self, led: Led, link: Link) -> int:
        most = min(self._servent.parameters.dynamic.most_ttl, link.most_ttl)
        needed, links = led.wanted - led.results, len(led.links) + 1
        return next_ttl(led.results, led.horizon, needed=needed, links=links, degree=link.degree, most=most)

    def drop(self, guid: bytes) -> None:
        """Ask no further: who asked has ended the search."""
        self._led.pop(guid, None)
        self._set_deadline()

    def drop_all(self) -> None:
        self._led.clear()
        self._set_deadline()

    def _set_deadline(self) -> None:
        self.deadline = min((led.time for led in self._led.values()), default=inf)
