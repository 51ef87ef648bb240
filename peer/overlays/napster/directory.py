"""The directory: the one node that knows who shares what.

Messages carry no name of a search, so what the directory sends counts as upkeep until the client that asked charges it
to its search.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any, Final

from contract.overlay_events import AnswerCame, NodeErred, NodeJoined, NodeLeft, SearchBegan, SearchEnded
from peer.net.address import Address
from peer.overlays.content import Item, Wanted
from peer.overlays.napster.index import Entry, Index, User
from peer.overlays.napster.messages import (
    DownloadFrom,
    DownloadRefused,
    DownloadRequest,
    EndOfResults,
    Login,
    LoginAccepted,
    Refusal,
    Result,
    Search,
    Share,
)
from peer.overlays.napster.text import is_sayable
from peer.overlays.napster.wire import Malformed
from peer.overlays.node import Action, HangUp, Outbox, Record, Send

OVERLAY: Final = "napster"
_NO_EMAIL: Final = "anon@napster.com"
"""What a client that has not registered is told."""
_NICK: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890_[]{}-@^!$")
_MOST_NICK: Final = 32


@dataclass(frozen=True, slots=True)
class DirectoryParameters:
    """How much a directory takes."""

    most_connections: int = 10_000
    """Of the company's servers, each had some ten thousand users."""
    most_shares: int = 5_000
    """Of one user, as opennap has it."""
    most_results: int = 100
    """For one search, whatever is asked for."""
    patience: float = 30.0
    """Seconds that a connection may last without a login."""


class Directory:
    """The server. It answers from its memory, which holds only what clients say while they are connected."""

    def __init__(self, address: Address, parameters: DirectoryParameters, record: Record) -> None:
        self._address: Final = address
        self._parameters: Final = parameters
        self._out: Final = Outbox(record)
        self._index: Final = Index()
        self._users: Final[dict[int, User]] = {}
        self._nicks: Final[dict[str, int]] = {}
        self._strangers: Final[dict[int, tuple[Address, float]]] = {}
        """Connections without a login: from where, and until when they may wait."""
        self._handlers: Final[dict[type, Callable[[User, Any], None]]] = {
            Share: self._share,
            Search: self._search,
            DownloadRequest: self._download,
        }

    def start(self, now: float) -> None:
        self._out.now = now
        self._out.record(NodeJoined(OVERLAY, str(self._address), str(self._address), 0))

    def search(self, name: str, wanted: Wanted, now: float) -> None:
        """Ask its own memory, which costs nothing."""
        self._out.now = now
        self._out.record(SearchBegan(name, wanted.text))
        entries = self._index.find(wanted.text, self._parameters.most_results)
        found = [(link, item) for link, item in entries if wanted.matches(item)]
        for link, item in found:
            self._out.record(AnswerCame(name, item.name, self._users[link].address.host, 0))
        self._out.record(SearchEnded(name, "found" if found else "not_found", len(found), 0, 0))

    def leave(self, now: float, *, by_word: bool) -> None:
        """End all connections; the protocol has no word for it."""
        self._out.now = now
        for link in (*self._users, *self._strangers):
            self._out.do(HangUp(link, "the directory ends"))
        self._forget_all()
        self._out.record(NodeLeft("left", by_word))

    def _forget_all(self) -> None:
        for link in list(self._users):
            self._forget(link)
        self._strangers.clear()

    def tick(self, now: float) -> None:
        self._out.now = now
        for link in [link for link, (_, until) in self._strangers.items() if until <= now]:
            del self._strangers[link]
            self._out.do(HangUp(link, "no login"))

    def next_deadline(self) -> float:
        """Return when the stranger who came first is out of time."""
        return next((until for _, until in self._strangers.values()), inf)

    def take_actions(self) -> list[Action]:
        return self._out.take()

    @property
    def neighbours(self) -> list[Address]:
        return [user.address for user in self._users.values()]

    @property
    def entries(self) -> int:
        return len(self._users) + len(self._index)

    def connected(self, link: int, address: Address, now: float) -> None:
        """Never dials."""

    def dial_failed(self, address: Address, reason: str, now: float) -> None:
        """Never dials."""

    def accepted(self, link: int, source: Address, now: float) -> None:
        self._out.now = now
        if len(self._users) + len(self._strangers) < self._parameters.most_connections:
            self._strangers[link] = source, now + self._parameters.patience
        else:
            self._refuse(link, "the server is full")

    def received(self, link: int, message: Any, now: float) -> None:
        self._out.now = now
        user = self._users.get(link)
        if isinstance(message, Malformed):
            self._err(link, f"type {message.kind}: {message.why}")
        elif user is not None:
            self._handlers.get(type(message), partial(_ignore))(user, message)
        elif link in self._strangers and isinstance(message, Login):
            self._login(link, message)

    def disconnected(self, link: int, reason: str, now: float) -> None:  # noqa: ARG002
        self._out.now = now
        self._strangers.pop(link, None)
        self._forget(link)

    def _login(self, link: int, login: Login) -> None:
        source, _ = self._strangers.pop(link)
        if not 0 < len(login.nick) <= _MOST_NICK or not _NICK.issuperset(login.nick):
            self._refuse(link, "not a nickname")
        elif login.nick in self._nicks:
            self._refuse(link, f"{login.nick} is logged in")
        else:
            self._nicks[login.nick] = link
            self._users[link] = User(link, login.nick, Address(source.host, login.port), login.speed)
            self._out.do(Send(link, LoginAccepted(_NO_EMAIL)))

    def _refuse(self, link: int, reason: str) -> None:
        self._out.do(Send(link, Refusal(reason)))
        self._out.do(HangUp(link, reason))

    def _share(self, user: User, share: Share) -> None:
        if not is_sayable(share.name):
            self._err(user.link, "a name that cannot be passed on")
        elif self._index.shares_of(user.link) < self._parameters.most_shares:
            self._index.add(user.link, Item(share.name, share.size))
        else:
            self._err(user.link, f"more than {self._parameters.most_shares} shares")

    def _search(self, user: User, search: Search) -> None:
        most = min(search.most_results, self._parameters.most_results)
        for entry in self._index.find(search.words, most):
            self._out.do(Send(user.link, self._result(entry)))
        self._out.do(Send(user.link, EndOfResults()))

    def _result(self, entry: Entry) -> Result:
        link, item = entry
        holder = self._users[link]
        return Result(item.name, item.size, holder.nick, holder.address.host, holder.speed)

    def _download(self, user: User, request: DownloadRequest) -> None:
        link = self._nicks.get(request.nick)
        if len(request.nick) > _MOST_NICK or not is_sayable(request.name):
            self._err(user.link, "a name that nobody can have")
        elif link is None or not self._index.has(link, request.name):
            self._out.do(Send(user.link, DownloadRefused(request.nick, request.name)))
        else:
            holder = self._users[link]
            self._out.do(Send(user.link, DownloadFrom(holder.nick, holder.address, request.name, holder.speed)))

    def _forget(self, link: int) -> None:
        user = self._users.pop(link, None)
        if user is not None:
            del self._nicks[user.nick]
            self._index.forget(link)

    def _err(self, link: int, what: str) -> None:
        user = self._users.get(link)
        source = user.address if user else self._strangers[link][0] if link in self._strangers else ""
        self._out.record(NodeErred(what, str(source)))


def _ignore(user: User, message: Any) -> None:
    """Do nothing with what a client says that a directory has no use for."""
