"""Some searches are followed: the trace tells of each of their messages, so that the way of a question can be shown."""

from collections.abc import Collection
from typing import Any, Final

from contract.overlay_events import MessageCame, MessageSent
from peer.net.address import Address
from peer.overlays.hands.costs import Tell


class Following:
    """Tells of the messages of the searches that are followed, as costs are attributed."""

    def __init__(self, searches: Collection[str], tell: Tell) -> None:
        self._searches: Final = frozenset(searches)
        self._tell: Final = tell

    def sent(self, search: str, to: Address, message: Any) -> None:
        """Take note of a message that was sent for a search."""
        if search in self._searches:
            self._tell(MessageSent(search, str(to), type(message).__name__))

    def charged(self, search: str, sender: Address, message: Any) -> None:
        """Take note of a message that came, and is charged to a search."""
        if search in self._searches:
            self._tell(MessageCame(search, str(sender), type(message).__name__))
