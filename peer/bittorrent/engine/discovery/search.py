"""The search for peers: when to announce to which tracker, and which addresses to dial."""

from dataclasses import replace
from typing import Final

from contract.events import Announced, DialFailed, Erred
from peer.bittorrent.engine.actions import Announce, Dial
from peer.bittorrent.engine.context import Context
from peer.bittorrent.engine.discovery.address_book import AddressBook
from peer.bittorrent.engine.discovery.announcer import Announcer
from peer.bittorrent.engine.discovery.dht import DhtSearch
from peer.bittorrent.engine.strategy import PeerTargets, TransferTotals
from peer.bittorrent.wire.tracker.messages import AnnounceRequest, AnnounceResponse, Event
from peer.net.address import Address

KEY_BITS: Final = 32


class Search:
    """Finds as many neighbours for one identity as the strategy wants."""

    def __init__(self, context: Context, identity: int, announcer: Announcer, addresses: AddressBook) -> None:
        peer_id, port = context.identities[identity]
        self._common = AnnounceRequest(
            context.info_hash,
            peer_id,
            port,
            uploaded=0,
            downloaded=0,
            left=0,
            key=f"{context.rng.getrandbits(KEY_BITS):08x}",
        )
        """What all announcements have in common."""
        self._identity = identity
        self._announcer = announcer
        self._most_half_open = context.profile.most_half_open
        self._outbox = context.outbox
        self._addresses = addresses
        self._dialled: set[Address] = set()
        self.dht: Final = DhtSearch(context, identity)

    def find_peers(self, targets: PeerTargets, totals: TransferTotals, neighbour_count: int) -> None:
        """Make the announcements that are due, and dial as many addresses as neighbours are missing."""
        self._announcer.period = targets.announce_period
        self._announcer.needs_peers = neighbour_count < targets.dials_up_to // 2
        self.dht.find_peers(needs_peers=self._announcer.needs_peers)
        while (due := self._announcer.due(self._outbox.now)) is not None:
            self._announce(*due, totals, targets.numwant)
        missing = targets.dials_up_to - neighbour_count - len(self._dialled)
        room = min(missing, self._most_half_open - len(self._dialled))
        if room > 0:
            for address in self._addresses.to_dial(self._outbox.now, room):
                self._dialled.add(address)
                self._outbox.do(Dial(address, self._identity))

    def connected(self, address: Address) -> None:
        self._dialled.discard(address)

    def refused(self, address: Address) -> None:
        """Record that there is no place any more for a connection which we dialled."""
        self._addresses.unwanted(address, self._outbox.now)

    def dial_failed(self, address: Address, reason: str) -> None:
        self._dialled.discard(address)
        retry_in = self._addresses.dial_failed(address, self._outbox.now)
        self._outbox.record(DialFailed(str(address), reason, retry_in))

    def tracker_answered(self, url: str, response: AnnounceResponse) -> None:
        self._announcer.tracker_answered(url, response, self._outbox.now)
        self._addresses.learn(response.addresses(), "tracker")
        counts = (response.peer_count, response.complete, response.incomplete)
        self._outbox.record(Announced(url, *counts, response.interval, response.warning))

    def tracker_failed(self, url: str, reason: str) -> None:
        """A tracker did not answer, or refused."""
        retry_in = self._announcer.tracker_failed(url, self._outbox.now)
        self._outbox.record(Erred(f"tracker {url}: {reason}", retry_in=retry_in))

    def found_by_dht(self, addresses: list[Address]) -> None:
        """Learn peers that the DHT told."""
        if self.dht.is_on:
            self.dht.found(addresses)
            self._addresses.learn(addresses, "dht")

    def completed(self) -> None:
        """Announce to the trackers that we have all pieces now."""
        self._announcer.completed()

    def leave(self, totals: TransferTotals) -> None:
        """Announce to the trackers that we leave; the DHT has no word for it."""
        self.dht.stop()
        for url in self._announcer.stop():
            self._announce(url, Event.STOPPED, totals, numwant=0)

    def _announce(self, url: str, event: Event, totals: TransferTotals, numwant: int) -> None:
        request = replace(
            self._common,
            event=event,
            numwant=numwant,
            uploaded=totals.uploaded,
            downloaded=totals.downloaded,
            left=totals.left,
            trackerid=self._announcer.tracker_id(url),
        )
        self._outbox.do(Announce(url, request, self._identity))
