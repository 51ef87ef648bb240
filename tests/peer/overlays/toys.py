"""Two overlays for tests of what runs nodes, one over datagrams and one over connections.

A node greets those whom it knows, who tell it whom they know. A search asks all of them, and ends with the first answer
or when patience does. Messages are JSON, one to a datagram or to a line.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any, Final

from contract.overlay_events import AnswerCame, NodeErred, NodeJoined, NodeLeft, SearchBegan, SearchEnded
from peer.errors import WireError
from peer.net.address import Address, parse_address
from peer.overlays.content import Item, Wanted, matching
from peer.overlays.node import Action, Dial, Fetch, HangUp, Outbox, Send, SendTo
from peer.overlays.overlay import DatagramOverlay, Role, Setup, StreamOverlay

MOST_LINE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Parameters:
    patience: float = 5.0
    burst: int = 1
    """Messages with which a search is answered."""
    raises: str = ""
    """The input that this node cannot take: a bug."""


class Mind:
    """What both nodes do, whatever carries their messages; `Far` is an address or the number of a link."""

    def __init__(self, setup: Setup) -> None:
        self.setup: Final = setup
        self.parameters: Final[Parameters] = setup.parameters
        self.out: Final = Outbox(setup.record)
        self.identity: Final = f"{setup.rng.getrandbits(64):016x}"
        self.searches: dict[str, float] = {}
        self.members: dict[Any, Address] = {}

    def begin(self, now: float, what: str) -> None:
        self.out.now = now
        if what == self.parameters.raises:
            raise ZeroDivisionError(f"a bug in {what}")

    def say(self, far: Any, message: dict[str, Any], search: str = "") -> None:
        raise NotImplementedError

    def start(self, now: float) -> None:
        self.begin(now, "start")
        address, items = str(self.setup.address), len(self.setup.items)
        self.out.record(NodeJoined("toy", self.identity, address, items))

    def search(self, name: str, wanted: Wanted, now: float) -> None:
        self.begin(now, "search")
        self.out.record(SearchBegan(name, wanted.text))
        self.searches[name] = now + self.parameters.patience
        for far in self.members:
            self.say(far, {"ask": name, "wanted": wanted.text}, name)

    def leave(self, now: float, *, by_word: bool) -> None:
        self.begin(now, "leave")
        for name in list(self.searches):
            self.end(name, "left", 0)
        if by_word:
            for far in list(self.members):
                self.say(far, {"bye": str(self.setup.address)})
        self.out.record(NodeLeft("left", by_word))

    def tick(self, now: float) -> None:
        self.begin(now, "tick")
        for name, until in list(self.searches.items()):
            if until <= now:
                self.end(name, "not_found", 0)

    def next_deadline(self) -> float:
        return min(self.searches.values(), default=inf)

    def take_actions(self) -> list[Action]:
        return self.out.take()

    @property
    def neighbours(self) -> list[Address]:
        return list(self.members.values())

    @property
    def entries(self) -> int:
        return len(self.members)

    def end(self, name: str, outcome: str, answers: int) -> None:
        del self.searches[name]
        self.out.record(SearchEnded(name, outcome, answers, None, 0))

    def take(self, far: Any, message: dict[str, Any]) -> None:
        match message:
            case {"ask": str(name), "wanted": str(wanted)}:
                for item in matching(self.setup.items, Wanted(wanted)) * self.parameters.burst:
                    self.say(far, {"answer": name, "item": item.name, "holder": str(self.setup.address)}, name)
            case {"answer": str(name), "item": str(item), "holder": str(holder)} if name in self.searches:
                self.out.record(AnswerCame(name, item, holder))
                self.end(name, "found", 1)
                self.out.do(Fetch(item, parse_address(holder)))
            case {"bye": str()}:
                self.members.pop(far, None)


class Gossip(Mind):
    """Over datagrams."""

    def start(self, now: float) -> None:
        super().start(now)
        self.greet(self.setup.known)

    def greet(self, others: tuple[Address, ...]) -> None:
        for address in others:
            if address not in self.members and address != self.setup.address and len(self.members) < 100:
                self.members[address] = address
                self.say(address, {"hello": [str(each) for each in self.members]})

    def say(self, far: Any, message: dict[str, Any], search: str = "") -> None:
        self.out.do(SendTo(far, message, search))

    def received(self, source: Address, message: dict[str, Any], now: float) -> None:
        self.begin(now, "received")
        if "hello" in message:
            self.greet((source, *map(parse_address, message["hello"])))
        self.take(source, message)

    def refused(self, source: Address, _data: bytes, why: str, now: float) -> None:
        self.begin(now, "refused")
        self.out.record(NodeErred(why, str(source)))


class Line(Mind):
    """Over connections."""

    def start(self, now: float) -> None:
        super().start(now)
        for address in self.setup.known:
            self.out.do(Dial(address))

    def say(self, far: Any, message: dict[str, Any], search: str = "") -> None:
        self.out.do(Send(far, message, search))

    def connected(self, link: int, address: Address, now: float) -> None:
        self.begin(now, "connected")
        self.members[link] = address
        self.say(link, {"hello": []})

    def dial_failed(self, address: Address, reason: str, now: float) -> None:
        self.begin(now, "dial_failed")
        self.out.record(NodeErred(f"dial: {reason}", str(address)))

    def accepted(self, link: int, source: Address, now: float) -> None:
        self.begin(now, "accepted")
        self.members[link] = source

    def received(self, link: int, message: dict[str, Any], now: float) -> None:
        self.begin(now, "received")
        if "hang up" in message:
            self.say(link, {"well": "bye"})
            self.out.do(HangUp(link, "as asked"))
            self.members.pop(link, None)
        self.take(link, message)

    def disconnected(self, link: int, reason: str, now: float) -> None:
        self.begin(now, "disconnected")
        address = self.members.pop(link, "")
        self.out.record(NodeErred(f"lost: {reason}", str(address)))


def encode(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()


def decode(data: bytes) -> dict[str, Any]:
    try:
        message = json.loads(data)
        if not isinstance(message, dict):
            raise WireError("expected an object")
        for each in message.get("hello", ()):
            parse_address(each)
    except (ValueError, TypeError, RecursionError) as error:
        raise WireError(f"not a message: {str(error)[:100]}") from error
    return message


class LineDecoder:
    def __init__(self, _is_outgoing: bool) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            yield decode(line)
        if len(self._buffer) > MOST_LINE:
            raise WireError(f"expected lines of {MOST_LINE} bytes at most")


GOSSIP: Final = DatagramOverlay({"node": Role(Gossip, Parameters)}, encode, decode)
LINE: Final = StreamOverlay({"node": Role(Line, Parameters)}, lambda message: encode(message) + b"\n", LineDecoder)
BOTH: Final = {"gossip": "tests.peer.overlays.toys:GOSSIP", "line": "tests.peer.overlays.toys:LINE"}
SONG: Final = Item("a song.mp3", 1_000)
