"""Engines: how a trial is performed. To add one, add a line to the table; `run_trials` chooses."""

from collections.abc import Mapping
from typing import Final, Protocol

from testbed.trial import emulated
from testbed.trial.events import Notify, TrialEnded, TrialOrder

EMULATED: Final = "emulated"


class Engine(Protocol):
    """Performs one trial."""

    def __call__(self, order: TrialOrder, notify: Notify, /) -> TrialEnded:
        """Leave a complete trial folder, or none and raise TrialError. `notify` may be called in another process."""


ENGINES: Final[Mapping[str, Engine]] = {EMULATED: emulated.perform}
