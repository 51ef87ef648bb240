"""Executors: where trials are performed. They know neither what a trial does nor how its engine works.

To add one, add a line to the table; `run_trials` chooses.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol, TypeAlias

from testbed.errors import TrialError
from testbed.trial.engine import Engine
from testbed.trial.events import Notify, TrialAborted, TrialBegan, TrialEnded, TrialOrder

TrialOutcome: TypeAlias = TrialEnded | TrialAborted


class Executor(Protocol):
    """Performs the trials of a run."""

    def __call__(self, orders: Sequence[TrialOrder], engine: Engine, notify: Notify, /) -> Iterator[TrialOutcome]:
        """Yield the outcome of each trial as it comes. After the caller stops iterating, no trial begins."""


def sequential(orders: Sequence[TrialOrder], engine: Engine, notify: Notify) -> Iterator[TrialOutcome]:
    """Perform trials on this machine, one after the other; each begins when its outcome is asked for."""
    for order in orders:
        notify(TrialBegan(order.number, order.trial))
        yield outcome_of(order, engine, notify)


def outcome_of(order: TrialOrder, engine: Engine, notify: Notify) -> TrialOutcome:
    """Perform one trial; an error is an outcome too."""
    try:
        return engine(order, notify)
    except TrialError as error:
        return TrialAborted(order.trial, str(error))


SEQUENTIAL: Final = "sequential"
EXECUTORS: Final[Mapping[str, Executor]] = {SEQUENTIAL: sequential}
