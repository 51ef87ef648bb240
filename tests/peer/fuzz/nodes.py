"""One node of each overlay among neighbours that say whatever their protocol has words for, true or not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from random import Random
from typing import Any, Final

from hypothesis import strategies as st

from peer.net.address import Address
from peer.overlays.chord import parameters as chord
from peer.overlays.content import Item, Wanted
from peer.overlays.cubit import parameters as cubit
from peer.overlays.gnutella import parameters as gnutella
from peer.overlays.gnutella.wire import messages as gnutella_said
from peer.overlays.kademlia import parameters as kademlia
from peer.overlays.keywords import overlay as keywords
from peer.overlays.napster import client as napster_client
from peer.overlays.napster import directory as napster_directory
from peer.overlays.napster import messages as napster_said
from peer.overlays.node import Charge, Dial, Fetch, HangUp, Send, SendTo
from peer.overlays.overlay import DatagramOverlay, Setup
from peer.overlays.registry import overlay_named
from tests.peer.overlays.chord import test_wire as chord_wire
from tests.peer.overlays.cubit import test_wire as cubit_wire
from tests.peer.overlays.gnutella import test_wire as gnutella_wire
from tests.peer.overlays.kademlia import test_wire as kademlia_wire
from tests.peer.overlays.napster import test_wire as napster_wire

OWN: Final = Address("198.18.0.1", 4000)
KNOWN: Final = (Address("198.18.0.2", 4000), Address("198.18.0.3", 4000))
ITEMS: Final = (Item("generic band - generic song.mp3", 5_000), Item("another song", 7))
LINKS: Final = 4
SOURCES: Final = 40
MOST_ACTIONS: Final = 1_000
"""That one input may cause: one message is no lever for a flood."""
MOST_TICKS: Final = 10_000
_LATELY: Final = 20
_LARGE: Final = 1 << 24
"""Smaller numbers are lengths and the like, which have to fit to each other."""
_SEARCH_NAME: Final = 32
_SHORT_TEXT: Final = 12
"""One to which digits can be added, whatever it is."""

Greeting = Callable[[int, bool], Sequence[Any]]
"""What the other end of a connection says first, by the number of the connection and whether the node dialled."""


def _says_nothing(_link: int, _is_outgoing: bool) -> Sequence[Any]:
    return ()


@dataclass(frozen=True)
class Case:
    """A node, what its neighbours may say, and how much it may keep of that."""

    overlay: str
    role: str
    messages: st.SearchStrategy[Any]
    parameters: Any
    most: int
    greeting: Greeting = _says_nothing
    shrink: Callable[[Any], None] = lambda _node: None
    """Make limits small that no parameter has."""


def _servents_greet(link: int, is_outgoing: bool) -> Sequence[Any]:
    headers = (
        ("X-Ultrapeer", "True" if link % 2 else "False"),
        ("X-Query-Routing", "0.1"),
        ("Listen-IP", f"1.2.3.{link % 250}:4"),
    )
    answer = gnutella_said.Handshake("GNUTELLA/0.6 200 OK", headers)
    return (answer,) if is_outgoing else (gnutella_said.Handshake("GNUTELLA CONNECT/0.6", headers), answer)


def _forget_soon(node: Any) -> None:
    for memory in (node._queries.memory, node._queries._servents):
        memory._most = 100


def _users_greet(link: int, _is_outgoing: bool) -> Sequence[Any]:
    return (napster_said.Login(f"user{link}", "-", 6699, "fuzz", 3),)


def _servers_greet(_link: int, _is_outgoing: bool) -> Sequence[Any]:
    return (napster_said.LoginAccepted("a@b"),)


_SERVENT: Final = gnutella.Parameters(
    neighbours=gnutella.NeighbourParameters(hosts=50, most=6, ultrapeers=6, leaves=6),
    tables=gnutella.TableParameters(entries=1 << 10),
)
_TABLES: Final = LINKS << 21
"""Entries of the route tables of neighbours, a bit each: 2^21 at most in one table."""
_RING: Final = chord.Parameters(most_pairs=50, most_suspects=20)

CASES: Final[dict[str, Case]] = {
    "chord": Case("chord", "node", chord_wire.messages, _RING, most=300),
    "keywords": Case("keywords", "node", chord_wire.messages, keywords.Parameters(ring=_RING), most=300),
    "cubit": Case("cubit", "node", cubit_wire.messages, cubit.Parameters(most_entries=50, most_suspects=20), most=200),
    "kademlia": Case("kademlia", "node", kademlia_wire.MESSAGES, kademlia.Parameters(k=2, most_keys=20), most=800),
    **{
        role: Case("gnutella", role, gnutella_wire.binary, _SERVENT, 2_000 + tables, _servents_greet, _forget_soon)
        for role, tables in {"leaf": 0, "servent": _TABLES, "ultrapeer": _TABLES, "elected": _TABLES}.items()
    },
    "directory": Case(
        "napster",
        "directory",
        napster_wire.messages,
        napster_directory.DirectoryParameters(most_connections=6, most_shares=20),
        most=6 + 6 * 20,
        greeting=_users_greet,
    ),
    "client": Case(
        "napster", "client", napster_wire.messages, napster_client.ClientParameters(), 10, greeting=_servers_greet
    ),
}


class Siege:
    """Runs the node; each check is an assertion."""

    def __init__(self, case: Case, rng: Random) -> None:
        overlay: Any = overlay_named(case.overlay)
        setup = Setup(OWN, KNOWN, ITEMS, case.parameters, Random(1), lambda *_: None)
        self.node: Any = overlay.roles[case.role].make(setup)
        self.now = 0.0
        self.most_kept = 0
        self._case: Final = case
        self._rng: Final = rng
        self._encode: Final = overlay.encode
        self._has_links: Final = not isinstance(overlay, DatagramOverlay)
        self._links: Final[list[int]] = []
        self._last_link = 0
        self._asked: Final[list[tuple[Address, Any]]] = []
        case.shrink(self.node)
        self._input(lambda: self.node.start(self.now))

    def hear(self, message: Any) -> None:
        """Let some neighbour say it, as an answer if it can be one and the node has asked."""
        if self._has_links:
            if len(self._links) < LINKS:
                self._connect()
            link = self._rng.choice(self._links) if self._links else 0
            self._input(lambda: self.node.received(link, message, self.now))
            return
        source, token = Address(f"198.18.1.{self._rng.randrange(SOURCES)}", 4000), None
        if self._asked and self._rng.random() < 0.5:
            source, token = self._rng.choice(self._asked[-_LATELY:])
        said = message if token is None else _with_token(message, token)
        self._input(lambda: self.node.received(source, said, self.now))

    def search(self, text: str) -> None:
        name = f"{self._rng.getrandbits(128):032x}"
        self._input(lambda: self.node.search(name, Wanted(text), self.now))

    def pass_time(self, seconds: float) -> None:
        end, ticks = self.now + seconds, 0
        while self.node.next_deadline() <= end:
            self.now = max(self.now, self.node.next_deadline())
            self._input(lambda: self.node.tick(self.now))
            ticks += 1
            assert ticks < MOST_TICKS, f"woken {ticks} times before {end:g}"
        self.now = end

    def leave(self) -> None:
        self._input(lambda: self.node.leave(self.now, by_word=True))

    def _connect(self) -> None:
        self._last_link += 1
        link = self._last_link
        self._links.append(link)
        self._input(lambda: self.node.accepted(link, Address(f"198.18.1.{link % 250}", 5000), self.now))
        self._greet(link, is_outgoing=False)

    def _greet(self, link: int, *, is_outgoing: bool) -> None:
        for message in self._case.greeting(link, is_outgoing):
            if link in self._links:
                self._input(lambda said=message: self.node.received(link, said, self.now))

    def _input(self, give: Callable[[], None]) -> None:
        give()
        actions = self.node.take_actions()
        assert len(actions) <= MOST_ACTIONS
        for action in actions:
            self._perform(action)
        self.most_kept = max(self.most_kept, self.node.entries)
        assert self.most_kept <= self._case.most

    def _perform(self, action: Any) -> None:
        match action:
            case SendTo(to, message):
                self._encode(message)
                self._asked.append((to, _token_of(message)))
                del self._asked[:-_LATELY]
            case Send(_, message):
                self._encode(message)
            case HangUp(link):
                self._links[:] = [each for each in self._links if each != link]
            case Dial(address):
                self._answer_dial(address)
            case Charge() | Fetch():
                pass

    def _answer_dial(self, address: Address) -> None:
        if len(self._links) < LINKS and self._rng.random() < 0.5:
            self._last_link += 1
            link = self._last_link
            self._links.append(link)
            self._input(lambda: self.node.connected(link, address, self.now))
            self._greet(link, is_outgoing=True)
        else:
            self._input(lambda: self.node.dial_failed(address, "Connection refused", self.now))


def _token_of(message: Any) -> Any:
    return getattr(message, "token", None) if hasattr(message, "token") else message.transaction


def _with_token(message: Any, token: Any) -> Any:
    """Make it an answer to a question: both have the same token, which krpc calls a transaction."""
    name = "transaction" if hasattr(message, "transaction") else "token"
    return replace(message, **{name: token}) if type(token) is type(getattr(message, name)) else message


def vary(value: Any, rng: Random) -> Any:
    """Return a value of the same shape with other texts, bytes, addresses and large numbers: no two are the same."""
    if isinstance(value, Address):
        host = f"198.{rng.randrange(1, 250)}.{rng.randrange(256)}.{rng.randrange(256)}"
        return Address(host, rng.randrange(1, 1 << 16))
    if isinstance(value, tuple):
        varied = [vary(each, rng) for each in value]
        return type(value)(*varied) if hasattr(value, "_replace") else tuple(varied)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: vary(getattr(value, each.name), rng) for each in fields(value)})
    return _vary_part(value, rng)


def _vary_part(value: Any, rng: Random) -> Any:
    match value:
        case int() if value > _LARGE:
            return rng.randrange(value)
        case bytes():
            return rng.randbytes(len(value))
        case str() if len(value) == _SEARCH_NAME:
            return f"{rng.getrandbits(128):032x}"
        case str() if 0 < len(value) <= _SHORT_TEXT:
            return f"{value}{rng.randrange(10_000)}"
    return value
