"""Asking the program about overlays before a run: only it knows their roles and parameters."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from testbed.errors import TrialError
from testbed.experiment.plan.trials import Trial
from testbed.tasks.consultation import Answer, Consultation
from testbed.tasks.find.plan.hosts import DIRECTORY
from testbed.tasks.find.plan.records import FindHosts, PlannedOverlay
from testbed.tasks.find.programs.description import Taken
from testbed.tasks.find.trials import hosts_of, settings_of
from testbed.values.findings import Finding, KeyPath
from testbed.values.parts import Nested

_SECONDS: Final = 20


class Use(NamedTuple):
    """An overlay with some parameters, and the roles of its nodes: of all nodes, or of a group with its own."""

    overlay: PlannedOverlay
    roles: tuple[str, ...]
    group: str
    """Empty for all."""
    own: Mapping[str, Nested]

    def question(self) -> dict[str, Any]:
        """Return it as values of JSON."""
        written = self.overlay.parameters_with(self.own)
        asked = {"overlay": self.overlay.name, "roles": list(self.roles), "parameters": written}
        return {**asked, "own": self.own} if self.group else asked

    def key_of(self, parameter: str) -> KeyPath:
        """Return where the file has a parameter, or the overlay itself."""
        group = ("nodes", self.group) if self.group else ()
        return (*group, "overlay", *(parameter.split(".") if parameter else ()))


def _uses(trial: Trial) -> list[Use]:
    """Return how a trial uses its overlay: by all its nodes, and then by each group that has parameters of its own."""
    overlay, hosts = settings_of(trial).overlay, hosts_of(trial)
    return [Use(overlay, _roles(hosts), "", {}), *dict(_own_uses(overlay, hosts)).values()]


def _roles(hosts: FindHosts) -> tuple[str, ...]:
    directory = [DIRECTORY] if hosts.directories else []
    return tuple(dict.fromkeys([*directory, *(node.role for node in hosts.nodes)]))


def _own_uses(overlay: PlannedOverlay, hosts: FindHosts) -> Iterator[tuple[str, Use]]:
    for node in hosts.nodes:
        if node.parameters:
            yield node.group, Use(overlay, (node.role,), node.group, node.parameters)


def overlay_findings(trials: Iterable[Trial]) -> Iterator[tuple[Trial, Finding]]:
    """Ask about every overlay of some trials, and yield what is wrong with them."""
    asked = [(trial, _uses(trial)) for trial in trials]
    answers = iter(_answers([use for _, uses in asked for use in uses]))
    for trial, uses in asked:
        for finding in _findings(uses, list(islice(answers, len(uses)))):
            yield trial, finding


def _findings(uses: Sequence[Use], answers: Sequence[Answer]) -> Iterator[Finding]:
    """Yield what is wrong with one trial; what is wrong with the whole is not said of each group again."""
    common = answers[0]["problems"]
    for use, answer in zip(uses, answers, strict=True):
        for problem in answer["problems"]:
            if not use.group or problem not in common:
                yield Finding(use.key_of(problem["parameter"]), f"{use.overlay.name}: {problem['text']}")


def parameters_taken(trial: Trial) -> Taken:
    """Return the names of the parameters that nodes of each role take, of those that are written; raises TrialError."""
    taken: dict[str, list[str]] = {}
    for answer in _answers(_uses(trial)):
        if answer["problems"]:
            raise TrialError("; ".join(problem["text"] for problem in answer["problems"]))
        for role, names in answer["taken"].items():
            known = taken.setdefault(role, [])
            known += [name for name in names if name not in known]
    return taken


def _answers(uses: Sequence[Use]) -> list[Answer]:
    with Consultation("overlays", {"uses": [use.question() for use in uses]}) as peer:
        found = list(peer.answers(_SECONDS))
        if len(found) != len(uses):
            raise TrialError(f"the program of overlays cannot be asked: {peer.ending()}")
    return found
