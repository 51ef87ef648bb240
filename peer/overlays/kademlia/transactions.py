"""Questions that wait for their answers, each with a transaction of two drawn bytes.

An answer counts if it has a known transaction and comes from where the question went: nobody else can answer, unless he
sees or guesses the transaction. Whoever asks is an `Asker`, and hears once what came of its question.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from random import Random
from typing import Any, Final, Protocol, TypeAlias

from contract.overlay_events import UPKEEP
from peer.net.address import Address
from peer.overlays.kademlia.parameters import Parameters
from peer.overlays.kademlia.wire.messages import Answer, Query, Refusal
from peer.overlays.node import Outbox, SendTo

MakeQuery: TypeAlias = Callable[[bytes], Query]
"""Makes a question with a transaction."""


class Asker(Protocol):
    """Whoever asks. `about` is what it gave when it asked."""

    def answered(self, about: Any, answer: Answer) -> None:
        """The answer came."""

    def is_slow(self, about: Any) -> None:
        """There is no answer yet; it may still come."""

    def failed(self, about: Any) -> None:
        """There is no answer, or a refusal."""


@dataclass(slots=True)
class Question:
    """What waits for an answer."""

    to: Address
    node_id: int | None
    """Who should answer, if that is known."""
    asker: Asker
    about: Any
    search: str
    asked_at: float
    is_open: bool = True


class Transactions:
    """Asks, and finds the question of an answer."""

    def __init__(self, outbox: Outbox, parameters: Parameters, rng: Random) -> None:
        self._outbox: Final = outbox
        self._parameters: Final = parameters
        self._rng: Final = rng
        self._questions: Final[dict[bytes, Question]] = {}
        """In the order in which they were asked, so that the first is the first to expire."""
        self._not_slow: Final[deque[Question]] = deque()
        """Those asked lately, some of which may have been answered."""

    def __len__(self) -> int:
        return len(self._questions)

    @property
    def is_full(self) -> bool:
        return len(self._questions) >= self._parameters.most_questions

    def ask(
        self, to: Address, node_id: int | None, make: MakeQuery, *, asker: Asker, about: Any, search: str = UPKEEP
    ) -> bool:
        """Send a question; false if too many wait already."""
        if self.is_full:
            return False
        transaction = self._unused()
        question = Question(to, node_id, asker, about, search, self._outbox.now)
        self._questions[transaction] = question
        self._not_slow.append(question)
        self._outbox.do(SendTo(to, make(transaction), search))
        return True

    def take(self, source: Address, message: Answer | Refusal) -> Question | None:
        """Return the question that a message answers, once; None if there is none."""
        question = self._questions.get(message.transaction)
        if question is None or question.to != source:
            return None
        del self._questions[message.transaction]
        question.is_open = False
        return question

    def slow_ones(self, now: float) -> list[Question]:
        """Return the questions that became slow, each once."""
        found: list[Question] = []
        while self._not_slow and self._is_over(self._not_slow[0], now):
            question = self._not_slow.popleft()
            if question.is_open:
                found.append(question)
        return found

    def expired(self, now: float) -> list[Question]:
        """Return the questions that nobody will answer any more, each once."""
        over: list[bytes] = []
        for transaction, question in self._questions.items():
            if question.asked_at + self._parameters.timeout > now:
                break
            over.append(transaction)
        questions = [self._questions.pop(transaction) for transaction in over]
        for question in questions:
            question.is_open = False
        return questions

    @property
    def deadline(self) -> float:
        """When the next question becomes slow or expires."""
        first = next(iter(self._questions.values()), None)
        expires = inf if first is None else first.asked_at + self._parameters.timeout
        while self._not_slow and not self._not_slow[0].is_open:
            self._not_slow.popleft()
        return min(expires, self._not_slow[0].asked_at + self._parameters.slow_after if self._not_slow else inf)

    def _is_over(self, question: Question, now: float) -> bool:
        return not question.is_open or question.asked_at + self._parameters.slow_after <= now

    def _unused(self) -> bytes:
        while (transaction := self._rng.randbytes(2)) in self._questions:
            pass
        return transaction
