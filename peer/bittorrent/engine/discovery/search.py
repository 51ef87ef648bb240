"""Looking for peers: when to ask which tracker, and whom to dial."""

from dataclasses import replace
from random import Random
from typing import Final

from contract.events import Announced, DialFailed, Erred
from peer.bittorrent.engine.actions import Announce, Dial
from peer.bittorrent.engine.discovery.address_book import AddressBook
from peer.bittorrent.engine.discovery.announcer import Announcer
from peer.bittorrent.engine.outbox import Outbox
from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import PeerTargets, TransferTotals
from peer.bittorrent.wire.tracker.messages import AnnounceRequest, AnnounceResponse, Event
from peer.net.address import Address

KEY_BITS: Final = 32


class Search:
    """Keeps a client in enough company."""

    def __init__(
        self,
        *,
        ours: AnnounceRequest,
        face: int,
        announcer: Announcer,
        profile: Profile,
        rng: Random,
        outbox: Outbox,
        addresses: AddressBook,
    ) -> None:
        """`ours` has what stays the same in all announcements."""
        self._ours = replace(ours, key=f"{rng.getrandbits(KEY_BITS):08x}")
        self._face = face
        self._announcer = announcer
        self._most_half_open = profile.most_half_open
        self._outbox = outbox
        self._addresses = addresses
        self._dialled: set[Address] = set()

    def look_around(self, targets: PeerTargets, tally: TransferTotals, neighbour_count: int) -> None:
        """Announce what is due, and dial those that are missing."""
        self._announcer.period = targets.announce_period
        self._announcer.needs_peers = neighbour_count < targets.dials_up_to // 2
        while (due := self._announcer.due(self._outbox.now)) is not None:
            self._announce(*due, tally, targets.numwant)
        missing = targets.dials_up_to - neighbour_count - len(self._dialled)
        room = min(missing, self._most_half_open - len(self._dialled))
        if room > 0:
            for address in self._addresses.to_dial(self._outbox.now, room):
                self._dialled.add(address)
                self._outbox.do(Dial(address, self._face))

    def reached(self, address: Address) -> None:
        """Take note that a dialled address answered."""
        self._dialled.discard(address)

    def unwanted(self, address: Address) -> None:
        """Take note that there is no room any more for a connection that was just made."""
        self._addresses.disconnected(address, self._outbox.now, is_fault=False)

    def missed(self, address: Address, reason: str) -> None:
        """Take note that nobody answers at an address."""
        self._dialled.discard(address)
        retry_in = self._addresses.dial_failed(address, self._outbox.now)
        self._outbox.tell(DialFailed(str(address), reason, retry_in))

    def answered(self, url: str, response: AnnounceResponse) -> None:
        """Take a tracker's answer."""
        self._announcer.answered(url, response, self._outbox.now)
        self._addresses.learn(response.addresses(), "tracker")
        counts = (response.peer_count, response.complete, response.incomplete)
        self._outbox.tell(Announced(url, *counts, response.interval, response.warning))

    def failed(self, url: str, reason: str) -> None:
        """Take note that a tracker did not answer, or refused."""
        retry_in = self._announcer.failed(url, reason, self._outbox.now)
        self._outbox.tell(Erred(f"tracker {url}: {reason}", retry_in=retry_in))

    def completed(self) -> None:
        """Let the trackers know that we have everything now."""
        self._announcer.completed(self._outbox.now)

    def leave(self, tally: TransferTotals) -> None:
        """Tell the trackers that we are gone."""
        for url in self._announcer.stop(self._outbox.now):
            self._announce(url, Event.STOPPED, tally, numwant=0)

    def _announce(self, url: str, event: Event, tally: TransferTotals, numwant: int) -> None:
        request = replace(
            self._ours,
            event=event,
            numwant=numwant,
            uploaded=tally.uploaded,
            downloaded=tally.downloaded,
            left=tally.left,
            trackerid=self._announcer.tracker_id(url),
        )
        self._outbox.do(Announce(url, request, self._face))
