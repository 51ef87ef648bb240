"""When a servent gives its route table to whom: a leaf to its ultrapeers, an ultrapeer to the others."""

from math import inf
from typing import Final

from peer.errors import WireError
from peer.overlays.gnutella.links import Link, Other
from peer.overlays.gnutella.neighbours.standing import Standing
from peer.overlays.gnutella.servent import Servent
from peer.overlays.gnutella.tables.table import Table
from peer.overlays.gnutella.wire.messages import Patch, Reset


class Tables:
    """Our route table and those of the neighbours."""

    def __init__(self, servent: Servent, standing: Standing) -> None:
        self._servent: Final = servent
        self._standing: Final = standing
        self._own: Final = Table(servent.parameters.tables.entries)
        self._own.add_words(servent.shelf.words)
        self.deadline = inf
        """When an ultrapeer looks next whether its leaves have changed its table."""

    def opened(self, link: Link) -> None:
        """Give our table to a new neighbour, if it is one who wants it."""
        if self._is_given_to(link):
            self._give(link, self._ours())
            self._look_later()
        if link.other is Other.LEAF:
            self._look_later()

    def _look_later(self) -> None:
        if self._standing.is_ultrapeer and self._servent.parameters.tables.between_ultrapeers:
            self.deadline = min(self.deadline, self._servent.now + self._servent.parameters.tables.period)

    def changed(self) -> None:
        """A leaf has come, gone or changed: the others are told with the next look."""
        self._look_later()

    def _is_given_to(self, link: Link) -> bool:
        if link.other is not Other.ULTRAPEER:
            return False
        is_between = self._servent.parameters.tables.between_ultrapeers and link.takes_tables
        return self._standing.is_leaf or (self._standing.is_ultrapeer and is_between)

    def _ours(self) -> Table:
        """Return the words of our items, and of those of our leaves."""
        if not self._servent.links.leaves:
            return self._own
        all_words = self._own.copy()
        for leaf in self._servent.links.leaves:
            if leaf.incoming.known is not None:
                all_words.add_table(leaf.incoming.known)
        return all_words

    def _give(self, link: Link, table: Table) -> None:
        rules = self._servent.parameters.tables
        for message in link.outgoing.messages(table, rules, self._servent.new_guid):
            self._servent.send(link, message)

    def look(self) -> None:
        """Tell all who are told what has changed."""
        self.deadline = inf
        table = self._ours()
        for link in self._servent.links.peers:
            if self._is_given_to(link):
                self._give(link, table)

    def got(self, link: Link, message: Reset | Patch) -> None:
        """Take a neighbour's table; raises WireError if its parts do not belong together."""
        if link.other is Other.PEER or self._standing.is_leaf:
            raise WireError("a route table from somebody who has none to give")
        if isinstance(message, Reset):
            link.incoming.reset(message)
        else:
            link.incoming.patch(message)
        if link.other is Other.LEAF:
            self.changed()

    @property
    def entries(self) -> int:
        """How many entries of others are kept."""
        links = (*self._servent.links.peers, *self._servent.links.leaves)
        return sum(link.incoming.size for link in links)
