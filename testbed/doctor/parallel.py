"""Run functions at once, each in a fork of this process."""

import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import TypeVar

from testbed.errors import ExplainedError

T = TypeVar("T")


class WorkerError(ExplainedError):
    """A forked worker ended without a result."""


def in_parallel(functions: Sequence[Callable[[], T]]) -> list[T]:
    """Return the results in order; raise the first exception that a function raised."""
    fork = multiprocessing.get_context("fork")
    workers = []
    for function in functions:
        receiver, sender = fork.Pipe(duplex=False)
        process = fork.Process(target=_work, args=(function, sender), daemon=True)
        process.start()
        sender.close()
        workers.append((process, receiver))
    outcomes = [_outcome(receiver) for _, receiver in workers]
    for process, _ in workers:
        process.join()
    return [_result(outcome) for outcome in outcomes]


def _work(function: Callable[[], T], sender: Connection) -> None:
    try:
        sender.send((function(), None))
    except Exception as error:
        sender.send((None, error))


def _outcome(receiver: Connection) -> tuple[T | None, Exception | None]:
    try:
        outcome: tuple[T | None, Exception | None] = receiver.recv()
    except EOFError:
        return None, WorkerError("a worker that drove traffic was killed from outside")
    return outcome


def _result(outcome: tuple[T | None, Exception | None]) -> T:
    result, error = outcome
    if error is not None:
        raise error
    return result  # type: ignore[return-value]
