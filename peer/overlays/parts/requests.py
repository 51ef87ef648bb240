"""Questions that wait for answers: each is asked again, and given up, in its time."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from random import Random
from typing import Any, Final, Protocol, TypeAlias

from peer.net.address import Address
from peer.overlays.node import Outbox, SendTo


class Question(Protocol):
    """What a message needs so that its answer is recognised."""

    @property
    def token(self) -> int: ...

    @property
    def search(self) -> str: ...


Answered: TypeAlias = Callable[[Any], None]
GaveUp: TypeAlias = Callable[[], None]


@dataclass(slots=True)
class _Waiting:
    to: Address
    question: Question
    answered: Answered
    gave_up: GaveUp
    expects: type
    tries: int


class Requests:
    """The questions that this node asked. Only the node that was asked can answer, with the question's token."""

    __slots__ = ("_deadlines", "_out", "_random", "_timeout", "_tries", "_waiting")

    def __init__(self, out: Outbox, random: Random, timeout: float, tries: int) -> None:
        self._out: Final = out
        self._random: Final = random
        self._timeout: Final = timeout
        self._tries: Final = tries
        self._waiting: Final[dict[int, _Waiting]] = {}
        self._deadlines: Final[list[tuple[float, int]]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def new_token(self) -> int:
        """Return 32 bits by chance, which no question that waits has."""
        while (token := self._random.getrandbits(32)) in self._waiting:
            pass
        return token

    def ask(self, to: Address, question: Question, expects: type, answered: Answered, gave_up: GaveUp) -> None:
        """Send a question; one of the functions is called later, once. Others may be called before it returns."""
        waiting = _Waiting(to, question, answered, gave_up, expects, self._tries)
        self._waiting[question.token] = waiting
        self._send(waiting)

    def take_answer(self, source: Address, answer: Any) -> bool:
        """Whether this answers a question; if so, whoever asked was told."""
        token = answer.token
        waiting = self._waiting.get(token)
        if waiting is None or waiting.to != source or not isinstance(answer, waiting.expects):
            return False
        del self._waiting[token]
        waiting.answered(answer)
        return True

    def expire(self) -> None:
        """Ask again what was not answered in time, or give up."""
        while self._deadlines and self._deadlines[0][0] <= self._out.now:
            _, token = heapq.heappop(self._deadlines)
            waiting = self._waiting.get(token)
            if waiting is None:
                continue
            if waiting.tries > 0:
                self._send(waiting)
            else:
                del self._waiting[token]
                waiting.gave_up()

    def next_deadline(self) -> float:
        while self._deadlines and self._deadlines[0][1] not in self._waiting:
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else inf

    def forget_all(self) -> None:
        """Wait for nothing any more, and tell nobody."""
        self._waiting.clear()
        self._deadlines.clear()

    def _send(self, waiting: _Waiting) -> None:
        waiting.tries -= 1
        heapq.heappush(self._deadlines, (self._out.now + self._timeout, waiting.question.token))
        self._out.do(SendTo(waiting.to, waiting.question, waiting.question.search))
