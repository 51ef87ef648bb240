"""What this servent gets from others: what a search found first, from the holder that the first answer named."""

import re
from typing import Final

from contract.overlay_events import DownloadAsked, DownloadBegan, DownloadEnded
from peer.net.address import Address
from peer.overlays.gnutella.servent import Servent
from peer.overlays.gnutella.sharing.headers import headers_of
from peer.overlays.gnutella.wire.files import target_of
from peer.overlays.gnutella.wire.messages import Found
from peer.overlays.node import Get

_REFUSAL: Final = re.compile(r"[1-5][0-9]{2}\b.*")
"""A problem that is the holder's word: a status of HTTP."""


class Downloads:
    """The downloads of one servent, one for each search at most. What was downloaded is not shared."""

    def __init__(self, servent: Servent) -> None:
        self._servent: Final = servent
        self._open: Final[set[str]] = set()
        """The searches whose downloads have not ended."""

    def want(self, search: str, found: Found, holder: Address) -> None:
        level = self._servent.participation.claimed
        self._open.add(search)
        name = found.name.encode(errors="surrogateescape").decode(errors="replace")
        self._servent.out.record(DownloadAsked(search, name, str(holder), level))
        self._servent.out.do(Get(search, holder, target_of(found.index, found.name), headers_of(search, level)))

    def began(self, search: str, size: int) -> None:
        if search in self._open:
            self._servent.out.record(DownloadBegan(search, size))

    def ended(self, search: str, count: int, problem: str) -> None:
        if search not in self._open:
            return
        self._open.remove(search)
        self._servent.participation.took(count)
        outcome = "refused" if _REFUSAL.fullmatch(problem) else "failed" if problem else "done"
        self._servent.out.record(DownloadEnded(search, outcome, count, problem or None))

    def end_all(self) -> None:
        """This servent leaves: nobody hears what comes of its downloads."""
        for search in sorted(self._open):
            self._servent.out.record(DownloadEnded(search, "left", None))
        self._open.clear()
