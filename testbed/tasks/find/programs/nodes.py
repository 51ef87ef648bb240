"""The programs of the task `find`: each host runs `python -m peer node` with a description of its own."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from contract.programs import SEARCHED
from testbed.errors import TrialError
from testbed.experiment.plan.trials import Trial
from testbed.tasks.find.plan.hosts import DIRECTORY
from testbed.tasks.find.plan.records import PlannedMember
from testbed.tasks.find.plan.searches import draw_scenario
from testbed.tasks.find.programs.asking import overlay_findings, parameters_taken
from testbed.tasks.find.programs.description import description_file, write_descriptions
from testbed.tasks.find.trials import hosts_of, settings_of
from testbed.tasks.launches import READY_LINE, WAITING_LINE, Assignment, Launch, Phase, TrialContext
from testbed.tasks.rehearsal import Happening, Print
from testbed.values.findings import Finding

_IMPORTED_LATE: Final = "uvloop"
"""What our programs import when they start, where it is installed."""
_NOT_YET: Final = "virtual time has no overlays, only BitTorrent: `testbed run` measures such a trial"


class FindPrograms:
    """The programs of the task `find`."""

    def check(self, trial: Trial) -> None:
        """Accept every trial: what only the program knows is among the findings."""

    def findings(self, trials: Sequence[Trial], _experiment: Path) -> Iterator[tuple[Trial, Finding]]:
        """Yield what is wrong with overlays and their parameters."""
        return overlay_findings(trials)

    def versions(self, _trials: Sequence[Trial], _experiment: Path) -> Mapping[str, str]:
        """Return nothing: all programs are ours."""
        return {}

    def check_rehearsal(self, _trial: Trial) -> None:
        """Refuse: there is no rehearsal of this task."""
        raise TrialError(_NOT_YET)

    def rehearse(self, _trial: Trial, _experiment: Path, _prints: Print) -> Iterator[Happening]:
        """Refuse: there is no rehearsal of this task."""
        raise TrialError(_NOT_YET)

    def preload(self, trial: Trial) -> Sequence[str]:
        """Return the modules of the program, with those of the overlay."""
        name = settings_of(trial).overlay.name
        overlay = name.partition(":")[0] if ":" in name else f"peer.overlays.{name}"
        modules = ["peer.cli.main", "peer.cli.node", overlay, _IMPORTED_LATE]
        return [module for module in modules if find_spec(module)]

    def returning_hosts(self, trial: Trial) -> Collection[str]:
        """Return the nodes that come back from a second address."""
        return [node.name for node in hosts_of(trial).nodes if node.new_address]

    def prepare(self, context: TrialContext) -> None:
        """Write what each host is to do."""
        write_descriptions(context, parameters_taken(context.trial))

    def assignments(self, context: TrialContext) -> Sequence[Assignment]:
        """Return the directory if there is one, and the nodes. They all start together, and join at their times."""
        return [*_directories(context), *_nodes(context)]

    def progress(self, trial: Trial, _received: Mapping[str, int]) -> Mapping[str, float]:
        """Estimate nothing: what a node receives does not say how much of its searches has ended, and they tell."""
        return {node.name: 0.0 for node in hosts_of(trial).nodes}


def _directories(context: TrialContext) -> Iterator[Assignment]:
    for host in hosts_of(context.trial).directories:
        launch = Launch(_words(context, host), READY_LINE)
        details = _details(context, DIRECTORY)
        yield Assignment(host, DIRECTORY, DIRECTORY, Phase.SERVICE, launch, details=details, killed_at=host.killed_at)


def _nodes(context: TrialContext) -> Iterator[Assignment]:
    settings, hosts = settings_of(context.trial), hosts_of(context.trial)
    searches = Counter(search.node for search in draw_scenario(settings, hosts).searches)
    for host in hosts.nodes:
        words = (*_words(context, host), "--tell-searches", "--wait-for-start")
        yield Assignment(
            host,
            "node",
            host.group,
            Phase.PARTICIPANT,
            Launch(words, WAITING_LINE, waits_for_start=True, step=SEARCHED),
            details={**_details(context, host.group), "arrival_s": host.sessions[0][0]},
            steps=searches[host.name],
            killed_at=host.killed_at,
        )


def _details(context: TrialContext, group: str) -> dict[str, str]:
    return {"group": group, "application": settings_of(context.trial).overlay.name}


def _words(context: TrialContext, host: PlannedMember) -> tuple[str | Path, ...]:
    return ("peer", "node", description_file(context, host), "--trace", context.trace(host))
