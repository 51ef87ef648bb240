"""A reader as the server sees it: questions are asked one after the other, and a reader that dies is started again."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from testbed.serving.framing import framed, receive_message

Json: TypeAlias = dict[str, Any]
Tell: TypeAlias = Callable[[int, int], object]

_READER: Final = "testbed.serving.reader"
_ENDING: Final = "the server is ending"


class NoAnswerError(Exception):
    """A question without an answer, and why."""


class UnknownError(NoAnswerError):
    """What was asked about does not exist."""


_REFUSALS: Final = {"refused": NoAnswerError, "unknown": UnknownError}


@dataclass
class Worker:
    """Asks one reader."""

    kind: str
    """What it answers: see `testbed.serving.reader.answering`."""
    runs: Path
    named: Path | None
    cost: float = field(default=0.0, init=False)
    """Seconds of a processor that the last answer took."""
    _is_closed: bool = field(default=False, init=False)
    _process: Process | None = field(default=None, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def ask(self, question: str, tell: Tell = lambda _done, _all: None, **about: str) -> Any:
        """Return the answer to a question; meanwhile `tell` is told how far it is."""
        async with self._turn:
            process = await self._started()
            try:
                message = await _asked(process, {"ask": question, **about}, tell)
                self.cost = message["cost"]
                return message["answer"]
            except (OSError, asyncio.IncompleteReadError) as error:
                status = await process.wait()
                why = f"the program that reads runs has ended (status {status}); see the terminal"
                raise NoAnswerError(why) from error
            except asyncio.CancelledError:
                self.end()  # an answer would be taken for that of the next question
                raise

    def end(self) -> None:
        """End the reader."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            self._process = None

    def close(self) -> None:
        """End the reader, and answer no more questions."""
        self._is_closed = True
        self.end()

    async def _started(self) -> Process:
        process = self._process
        if not self._is_closed and (process is None or process.returncode is not None):
            named = "" if self.named is None else str(self.named.absolute())
            words = [sys.executable, "-P", "-m", _READER, self.kind, str(self.runs.absolute()), named]
            # One thread for arithmetic: a trial may need the processors.
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            process = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE, env=environment)
            self._process = process
        if self._is_closed or process is None:  # maybe closed while the reader was being started
            self.end()
            raise NoAnswerError(_ENDING)
        return process


async def _asked(process: Process, question: Json, tell: Tell) -> Json:
    assert process.stdin is not None  # noqa: S101
    assert process.stdout is not None  # noqa: S101
    process.stdin.write(framed(question))
    await process.stdin.drain()
    while True:
        message: Json = await receive_message(process.stdout)
        if "answer" in message:
            return message
        if "progress" in message:
            tell(*message["progress"])
        for kind, error in _REFUSALS.items():
            if kind in message:
                raise error(message[kind])
