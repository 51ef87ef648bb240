"""All applications of a trial: started phase by phase, and stopped with the infrastructure last."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.errors import TrialError
from testbed.network import Network, ProcessError
from testbed.network.processes.processes import stop_all
from testbed.tasks.launches import Assignment, Phase, TrialContext
from testbed.trial.applications.application import Application
from testbed.trial.monitoring.traces import TraceEnd

LEAVE_SECONDS: Final = 5.0
"""How long an application may take to end when it is asked to; ours take up to 2 s if a tracker does not answer, and
3.5 s if a neighbour does not close its end of a connection."""


@dataclass(frozen=True)
class Applications:
    """All applications of a trial, in the order of the record."""

    all: tuple[Application, ...]

    @classmethod
    def assigned(cls, assignments: Iterable[Assignment], context: TrialContext) -> "Applications":
        """Return the applications of these assignments, not started yet."""
        return cls(tuple(Application(each, context.trace(each.host)) for each in assignments))

    def __iter__(self) -> Iterator[Application]:
        return iter(self.all)

    @property
    def participants(self) -> tuple[Application, ...]:
        """The applications for which the trial is performed."""
        return self._of(Phase.PARTICIPANT)

    @property
    def groups(self) -> Mapping[str, str]:
        """The group of each host."""
        return {each.name: each.group for each in self.all}

    @property
    def pids(self) -> list[int]:
        """The processes that run."""
        return [each.pid for each in self.all if each.pid is not None and not each.has_ended]

    def start(
        self,
        network: Network,
        folder: Path,
        on_start: Callable[[], None] = lambda: None,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        """Start all and wait until they are ready. A participant may fail; any other, or all, raises TrialError.

        The functions are called for each application that is started, and for each that need not be waited for.
        """
        for phase in Phase:
            for each in self._of(phase):
                each.start(network, folder)
                on_start()
            for each in self._of(phase):
                _await_ready(each)
                on_ready()
        if all(each.has_ended for each in self.participants):
            first = self.participants[0]
            raise TrialError(f"no {first.role} started; {first.name}: {first.exit_report(0, TraceEnd()).why}")

    def stop(self) -> None:
        """Ask all to end; the infrastructure last, since the others sign off there."""
        infrastructure = self._of(Phase.INFRASTRUCTURE)
        others = [each for each in self.all if each not in infrastructure]
        for group in (others, infrastructure):
            stop_all([process for each in group if (process := each.prepare_stop()) is not None], LEAVE_SECONDS)

    def _of(self, phase: Phase) -> tuple[Application, ...]:
        return tuple(each for each in self.all if each.phase is phase)


def _await_ready(application: Application) -> None:
    try:
        application.wait_ready()
    except ProcessError as error:
        if application.phase is Phase.PARTICIPANT:
            application.fail_start(error)
        else:
            why = application.complaint or error
            raise TrialError(f"the {application.role} on {application.name} did not start: {why}") from error
