"""Asking the program about overlays before a run: only it knows their roles and parameters."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from testbed.errors import TrialError
from testbed.experiment.plan.trials import Trial
from testbed.tasks.consultation import Answer, Consultation
from testbed.tasks.find.plan.hosts import DIRECTORY
from testbed.tasks.find.plan.records import FindSettings
from testbed.tasks.find.programs.description import Taken
from testbed.tasks.find.trials import hosts_of, settings_of
from testbed.values.findings import Finding, KeyPath

_SECONDS: Final = 20


class Use(NamedTuple):
    """An overlay with some parameters, and the roles of its nodes."""

    settings: FindSettings
    roles: tuple[str, ...]

    @classmethod
    def of(cls, trial: Trial) -> "Use":
        """Return how a trial uses its overlay."""
        hosts = hosts_of(trial)
        directory = [DIRECTORY] if hosts.directories else []
        return cls(settings_of(trial), tuple(dict.fromkeys([*directory, *(node.role for node in hosts.nodes)])))

    def question(self) -> dict[str, Any]:
        """Return it as values of JSON."""
        overlay = self.settings.overlay
        return {"overlay": overlay.name, "roles": list(self.roles), "parameters": overlay.parameters}


def overlay_findings(trials: Iterable[Trial]) -> Iterator[tuple[Trial, Finding]]:
    """Ask about every overlay of some trials, and yield what is wrong with them."""
    asked = list(trials)
    for trial, answer in zip(asked, _answers([Use.of(trial) for trial in asked]), strict=True):
        for problem in answer["problems"]:
            parameter = problem["parameter"]
            key: KeyPath = ("overlay", *parameter.split(".")) if parameter else ("overlay",)
            yield trial, Finding(key, f"{settings_of(trial).overlay.name}: {problem['text']}")


def parameters_taken(trial: Trial) -> Taken:
    """Return the names of the parameters that nodes of each role take; raises TrialError."""
    (answer,) = _answers([Use.of(trial)])
    if answer["problems"]:
        raise TrialError("; ".join(problem["text"] for problem in answer["problems"]))
    taken: Taken = answer["taken"]
    return taken


def _answers(uses: Sequence[Use]) -> list[Answer]:
    with Consultation("overlays", {"uses": [use.question() for use in uses]}) as peer:
        found = list(peer.answers(_SECONDS))
        if len(found) != len(uses):
            raise TrialError(f"the program of overlays cannot be asked: {peer.ending()}")
    return found
