"""A client: logs in, says what it shares, asks, and asks where to download.

Answers carry no name. The directory answers one question after the other, so results belong to the earliest question
whose end of results has not come.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from random import Random
from typing import Any, Final

from contract.overlay_events import UPKEEP, AnswerCame, NodeErred, NodeJoined, NodeLeft, SearchBegan, SearchEnded
from peer.net.address import Address
from peer.net.backoff import backoff
from peer.overlays.content import Item, Wanted, words_of
from peer.overlays.napster.directory import OVERLAY
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
from peer.overlays.node import Action, Charge, Dial, Fetch, HangUp, Outbox, Record, Send

_MOST_TEXT: Final = 1_000
"""Characters of a question."""
_MOST_QUESTIONS: Final = 1_000
"""That wait for answers, and files that wait for an address."""


@dataclass(frozen=True, slots=True)
class ClientParameters:
    """How a client behaves."""

    most_results: int = 100
    """Asked for; servers gave no more."""
    speed: int = 0
    """The link type that it says it has: 0 unknown, 1 a modem of 14.4 kbit/s ... 10 a T3 or more."""
    patience: float = 30.0
    """Seconds without an answer, to a login or a search, after which the client gives up."""
    first_wait: float = 1.0
    longest_wait: float = 60.0
    """Seconds between two attempts to connect, which double."""
    fetches: bool = True
    """Whether it downloads the first answer to each search."""


@dataclass(slots=True)
class Question:
    """A search that was sent to the directory."""

    name: str
    wanted: Wanted
    until: float
    answers: list[Result] = field(default_factory=list)
    is_over: bool = False
    """Nobody waits for it, but its results may still come."""


class Client:
    """A user of a directory."""

    def __init__(
        self,
        address: Address,
        directory: Address,
        *,
        nick: str = "",
        items: list[Item],
        parameters: ClientParameters,
        rng: Random,
        record: Record,
    ) -> None:
        self._address: Final = address
        self._nick: Final = nick or f"{address.host.replace('.', '_')}-{address.port}"
        self._items: Final = [item for item in items if is_sayable(item.name)]
        self._directory: Final = directory
        self._parameters: Final = parameters
        self._rng: Final = rng
        self._out: Final = Outbox(record)
        self._link: int | None = None
        self._is_in = False
        self._has_left = False
        self._failures = 0
        self._deadline = inf
        """When to dial again, or to give a login up."""
        self._questions: Final[deque[Question]] = deque()
        self._downloads: Final[dict[tuple[str, str], tuple[str, list[Result]]]] = {}
        """What was asked for: the search, and other answers to it."""
        self._handlers: Final[dict[type, Callable[[Any], None]]] = {
            LoginAccepted: self._joined,
            Result: self._answer,
            EndOfResults: self._end,
            DownloadFrom: self._fetch,
            DownloadRefused: self._try_another,
            Refusal: lambda message: self._err(f"the directory refuses: {message.reason[:100]}"),
            Malformed: lambda message: self._err(f"type {message.kind}: {message.why}"),
        }

    def start(self, now: float) -> None:
        self._out.now = now
        self._dial()

    def search(self, name: str, wanted: Wanted, now: float) -> None:
        self._out.now = now
        self._out.record(SearchBegan(name, wanted.text))
        question = Question(name, wanted, now + self._parameters.patience)
        if not self._is_in or len(self._questions) >= _MOST_QUESTIONS:
            self._finish(question, "failed")
            return
        self._questions.append(question)
        words = " ".join(words_of(wanted.text))[:_MOST_TEXT]
        self._say(Search(words, self._parameters.most_results), name)

    def leave(self, now: float, *, by_word: bool) -> None:
        """End the connection, which is all that the protocol has for it."""
        self._out.now = now
        self._has_left, self._deadline = True, inf
        self._end_all("left")
        if self._link is not None:
            self._out.do(HangUp(self._link, "left"))
        self._link, self._is_in = None, False
        self._out.record(NodeLeft("left", by_word))

    def tick(self, now: float) -> None:
        self._out.now = now
        if self._deadline <= now:
            self._give_up("no answer to the login") if self._link is not None else self._dial()
        for question in self._questions:
            if question.until <= now and not question.is_over:
                self._finish(question, "failed", timeouts=1)

    def next_deadline(self) -> float:
        waiting = next((question.until for question in self._questions if not question.is_over), inf)
        return min(self._deadline, waiting)

    def take_actions(self) -> list[Action]:
        return self._out.take()

    @property
    def neighbours(self) -> list[Address]:
        return [self._directory] if self._is_in else []

    @property
    def entries(self) -> int:
        return len(self.neighbours)

    def connected(self, link: int, address: Address, now: float) -> None:  # noqa: ARG002
        self._out.now = now
        if self._has_left:
            self._out.do(HangUp(link, "left"))
            return
        self._link, self._deadline = link, now + self._parameters.patience
        self._say(Login(self._nick, "-", self._address.port, "testbed", self._parameters.speed))

    def dial_failed(self, address: Address, reason: str, now: float) -> None:  # noqa: ARG002
        self._out.now = now
        self._dial_later()

    def accepted(self, link: int, source: Address, now: float) -> None:  # noqa: ARG002
        """Refuse: who downloads speaks another protocol, with another program."""
        self._out.now = now
        self._out.do(HangUp(link, "not a directory"))

    def received(self, link: int, message: Any, now: float) -> None:
        self._out.now = now
        handler = self._handlers.get(type(message))
        if link == self._link and handler is not None:
            handler(message)

    def disconnected(self, link: int, reason: str, now: float) -> None:
        self._out.now = now
        if link == self._link:
            self._err(f"lost the directory: {reason}")
            self._lost()

    def _dial(self) -> None:
        self._deadline = inf
        self._out.do(Dial(self._directory))

    def _dial_later(self) -> None:
        if not self._has_left:
            self._failures += 1
            first, longest = self._parameters.first_wait, self._parameters.longest_wait
            self._deadline = self._out.now + backoff(self._failures, first, longest, self._rng)

    def _give_up(self, why: str) -> None:
        self._err(why)
        if self._link is not None:
            self._out.do(HangUp(self._link, why))
        self._lost()

    def _lost(self) -> None:
        self._link, self._is_in = None, False
        self._end_all("failed")
        self._dial_later()

    def _end_all(self, outcome: str) -> None:
        for question in self._questions:
            if not question.is_over:
                self._finish(question, outcome)
        self._questions.clear()
        self._downloads.clear()

    def _joined(self, message: LoginAccepted) -> None:  # noqa: ARG002
        if self._is_in:
            return
        self._is_in, self._failures, self._deadline = True, 0, inf
        for item in self._items:
            self._say(Share(item.name, item.size))
        self._out.record(NodeJoined(OVERLAY, self._nick, str(self._address), len(self._items)))

    def _answer(self, result: Result) -> None:
        if not self._questions:
            return
        question = self._questions[0]
        self._charge(question.name)
        is_new = not question.is_over and len(question.answers) < self._parameters.most_results
        if is_new and question.wanted.matches(Item(result.name)) and result.nick != self._nick:
            question.answers.append(result)
            self._out.record(AnswerCame(question.name, result.name, result.host, 1))

    def _end(self, message: EndOfResults) -> None:  # noqa: ARG002
        if not self._questions:
            return
        question = self._questions.popleft()
        self._charge(question.name)
        if not question.is_over:
            self._finish(question, "found" if question.answers else "not_found")
            if self._parameters.fetches:
                self._ask_where(question.name, question.answers)

    def _finish(self, question: Question, outcome: str, timeouts: int = 0) -> None:
        question.is_over = True
        hops = 1 if question.answers else None
        self._out.record(SearchEnded(question.name, outcome, len(question.answers), hops, timeouts))

    def _ask_where(self, search: str, answers: list[Result]) -> None:
        """Ask for the address of the first of the holders."""
        if answers and len(self._downloads) < _MOST_QUESTIONS:
            first, *others = answers
            self._downloads[first.nick, first.name] = search, others
            self._say(DownloadRequest(first.nick, first.name), search)

    def _fetch(self, where: DownloadFrom) -> None:
        asked = self._downloads.pop((where.nick, where.name), None)
        if asked is not None:
            self._charge(asked[0])
            self._out.do(Fetch(where.name, where.address))

    def _try_another(self, refused: DownloadRefused) -> None:
        search, others = self._downloads.pop((refused.nick, refused.name), (UPKEEP, []))
        self._charge(search)
        self._ask_where(search, others)

    def _charge(self, search: str) -> None:
        """Count the answer that has just come to its search, as the directory could not."""
        if search:
            self._out.do(Charge(search))

    def _say(self, message: Any, search: str = UPKEEP) -> None:
        if self._link is not None:
            self._out.do(Send(self._link, message, search))

    def _err(self, what: str) -> None:
        self._out.record(NodeErred(what, str(self._directory)))
