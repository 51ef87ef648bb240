"""Which programs hosts run: a table, and nothing else to change for another one.

A scheme is a way to distribute the file: what it needs before anything starts, and the applications that speak it, by
the name that an experiment file calls them. An application is how its server and its peers are launched.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Final

from testbed.experiment.plan.trials import (
    PlannedPeer,
    PlannedServer,
    PlannedTracker,
    Trial,
)
from testbed.tasks.distribute.programs import bittorrent, client_server, fluid
from testbed.trial.applications.launch import Launch, Stage
from testbed.trial.errors import TrialError

OURS: Final = "ours"
_IMPORTED_LATE: Final = "uvloop"
"""What our programs import when they start, where it is installed."""


@dataclass(frozen=True)
class Application:
    """How one program is launched in each role."""

    server: Callable[[Stage, PlannedServer], Launch]
    peer: Callable[[Stage, PlannedPeer], Launch]
    preload: tuple[str, ...] = ()
    """Modules that a warm interpreter shall have imported: all but those that it is to run."""


@dataclass(frozen=True)
class Scheme:
    """How a file travels."""

    applications: Mapping[str, Application]
    prepare: Callable[[Stage], None] = lambda _stage: None
    """Write what the programs are to be told by a file."""
    check: Callable[[Trial], None] = lambda _trial: None
    """Raise a TrialError for what no application of the scheme can do."""
    tracker: Callable[[Stage, PlannedTracker], Launch] | None = None
    preload: tuple[str, ...] = field(default=())


SCHEMES: Final[Mapping[str, Scheme]] = {
    "bittorrent": Scheme(
        applications={
            OURS: Application(bittorrent.seed, bittorrent.leech, ("peer.cli.main", "peer.cli.seed", "peer.cli.leech"))
        },
        prepare=bittorrent.prepare,
        check=bittorrent.check,
        tracker=bittorrent.tracker,
        preload=("peer.cli.tracker",),
    ),
    "client-server": Scheme(
        applications={
            OURS: Application(
                client_server.server,
                client_server.client,
                ("peer.cli.main", "peer.cli.serve", "peer.cli.fetch"),
            )
        },
        check=client_server.check,
    ),
    "fluid": Scheme(
        applications={OURS: Application(fluid.server, fluid.peer, ("peer.cli.main", "peer.cli.relay"))},
        prepare=fluid.write_plan,
        check=fluid.check,
    ),
}


def scheme_of(trial: Trial) -> Scheme:
    """Return how the file of a trial travels."""
    return SCHEMES[trial.settings.distribution]


def application_of(trial: Trial, planned: PlannedServer) -> Application:
    """Return the application of a host; a TrialError says what there is instead of one that is unknown."""
    known = scheme_of(trial).applications
    if planned.application not in known:
        raise TrialError(
            f"{planned.name}: there is no application {planned.application!r} for {trial.settings.distribution};"
            f" write {', '.join(known)}"
        )
    return known[planned.application]


def check_programs(trial: Trial) -> None:
    """Raise a TrialError if a trial asks for a program or an option that there is not."""
    for planned in (*trial.hosts.servers, *trial.hosts.peers):
        application_of(trial, planned)
    scheme_of(trial).check(trial)


def preload_of(trial: Trial) -> list[str]:
    """Return the modules that a warm interpreter shall have imported for the programs of a trial."""
    applications = [application_of(trial, planned) for planned in (*trial.hosts.servers, *trial.hosts.peers)]
    modules = [*scheme_of(trial).preload, *(module for each in applications for module in each.preload)]
    return list(dict.fromkeys([*modules, *([_IMPORTED_LATE] if find_spec(_IMPORTED_LATE) else [])]))
