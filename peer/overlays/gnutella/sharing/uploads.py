"""Those who want files of this servent: some are served, and the others wait for their turn."""

from dataclasses import dataclass
from typing import Final

from contract.overlay_events import UploadEnded, UploadQueued
from peer.net.address import Address
from peer.net.http import Request
from peer.overlays.content import Item
from peer.overlays.gnutella.kazaa.upload_queue import UploadQueue
from peer.overlays.gnutella.servent import Servent
from peer.overlays.gnutella.sharing.headers import claimed_in, search_in
from peer.overlays.gnutella.wire.files import index_and_name
from peer.overlays.node import Give, Refuse

_NO_SUCH_FILE: Final = 404
_BUSY: Final = 503


@dataclass(frozen=True, slots=True)
class _Wish:
    search: str
    item: Item


class Uploads:
    """The uploads of one servent. The level of who waits is that of the request: nobody asks twice."""

    def __init__(self, servent: Servent) -> None:
        rules = servent.parameters.uploads
        self._servent: Final = servent
        self._queue: Final = UploadQueue[int](
            slots=rules.slots, most_waiting=rules.most_waiting, by_level=rules.by_level
        )
        self._wishes: Final[dict[int, _Wish]] = {}
        """Of all who wait or are served."""

    def asked(self, upload: int, source: Address, request: Request) -> None:
        item = self._item(request.path)
        if item is None:
            self._servent.out.do(Refuse(upload, _NO_SUCH_FILE))
            return
        level, wish = claimed_in(request.headers), _Wish(search_in(request.headers), item)
        self._wishes[upload] = wish
        begins = self._queue.ask(upload, level)
        place = self._queue.place_of(upload)
        if place is not None:
            self._servent.out.record(UploadQueued(wish.search, item.name, str(source), level, place))
        self._refuse_dropped()
        if begins:
            self._give(upload)

    def _item(self, path: str) -> Item | None:
        """Return the file that is meant: its name must be the one that our hit said."""
        found, items = index_and_name(path), self._servent.shelf.items
        if found is None or found[0] >= len(items):
            return None
        item = items[found[0]]
        return item if item.name == found[1] else None

    def _refuse_dropped(self) -> None:
        """Tell those whom a full queue has dropped."""
        for upload in [each for each in self._wishes if self._queue.place_of(each) is None]:
            del self._wishes[upload]
            self._servent.out.do(Refuse(upload, _BUSY))

    def _give(self, upload: int) -> None:
        self._servent.out.do(Give(upload, self._wishes[upload].item.size))

    def ended(self, upload: int, count: int) -> None:
        """Somebody has it, or has gone, perhaps before the turn came: the next one is served."""
        wish = self._wishes.pop(upload, None)
        if wish is None:
            return
        self._servent.participation.gave(count)
        self._servent.out.record(UploadEnded(wish.search, count))
        for each in self._queue.ended(upload):
            self._give(each)
