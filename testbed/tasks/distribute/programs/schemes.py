"""The schemes by which a file is distributed, and the programs of each.

A scheme is the protocol; an adapter knows how to launch one implementation of it. A new implementation is a new entry
in `adapters`, under the name that an experiment file gives as `application`, and in the schema's APPLICATIONS.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from contract.programs import CLIENTS
from testbed.errors import TrialError
from testbed.experiment.plan.trials import Trial
from testbed.tasks.distribute.plan.records import (
    PlannedBootstrap,
    PlannedPeer,
    PlannedProgram,
    PlannedServer,
    PlannedTracker,
)
from testbed.tasks.distribute.programs import bittorrent, client_server, fluid
from testbed.tasks.distribute.programs.other_clients import client_findings, client_versions, encryption_findings
from testbed.tasks.distribute.programs.payload_file import make_payload_file
from testbed.tasks.distribute.programs.strategies import strategy_findings
from testbed.tasks.distribute.programs.virtual import check_virtual, rehearse
from testbed.tasks.distribute.schema.keys import NGINX, OURS
from testbed.tasks.distribute.trials import hosts_of, settings_of
from testbed.tasks.launches import Assignment, Launch, Phase, TrialContext
from testbed.tasks.rehearsal import Happening, Print
from testbed.theory import payload_share
from testbed.values.findings import Finding

_IMPORTED_LATE: Final = "uvloop"
"""What our programs import when they start, where it is installed."""
_NEARLY_DONE: Final = 0.99
"""The most that may be estimated of a peer that has not said that it is complete."""


@dataclass(frozen=True)
class Adapter:
    """How one implementation is launched in each role."""

    server: Callable[[TrialContext, PlannedServer], Launch]
    peer: Callable[[TrialContext, PlannedPeer], Launch]
    preload: tuple[str, ...] = ()
    """The modules that its programs need, but not those that are run."""


@dataclass(frozen=True)
class Scheme:
    """A protocol that distributes a file."""

    adapters: Mapping[str, Adapter]
    prepare: Callable[[TrialContext], None] = lambda _context: None
    """Write the files that programs read, besides the payload."""
    check: Callable[[Trial], None] = lambda _trial: None
    """Raise TrialError for what no implementation of the scheme can do."""
    other: Adapter | None = None
    """How other people's clients are launched, all by one program of ours that has an adapter for each."""
    others: tuple[str, ...] = ()
    """Their names; those of adapters beside the experiment have the form `module:Class`."""
    tracker: Callable[[TrialContext, PlannedTracker], Launch] | None = None
    bootstrap: Callable[[TrialContext, PlannedBootstrap], Launch] | None = None
    preload: tuple[str, ...] = ()


SCHEMES: Final[Mapping[str, Scheme]] = {
    "bittorrent": Scheme(
        adapters={
            OURS: Adapter(bittorrent.seed, bittorrent.leech, ("peer.cli.main", "peer.cli.seed", "peer.cli.leech"))
        },
        other=Adapter(bittorrent.other_seed, bittorrent.other_leech, ("peer.cli.main", "peer.cli.client")),
        others=CLIENTS,
        prepare=bittorrent.prepare,
        check=bittorrent.check,
        tracker=bittorrent.tracker,
        bootstrap=bittorrent.bootstrap,
        preload=("peer.cli.tracker", "peer.cli.node", "peer.overlays.kademlia"),
    ),
    "client-server": Scheme(
        adapters={
            OURS: Adapter(
                client_server.server,
                client_server.client,
                ("peer.cli.main", "peer.cli.serve", "peer.cli.fetch"),
            ),
            NGINX: Adapter(
                client_server.nginx, client_server.client, ("peer.cli.main", "peer.cli.service", "peer.cli.fetch")
            ),
        },
        check=client_server.check,
    ),
    "fluid": Scheme(
        adapters={OURS: Adapter(fluid.server, fluid.peer, ("peer.cli.main", "peer.cli.relay"))},
        prepare=fluid.write_plan,
        check=fluid.check,
    ),
}


class DistributePrograms:
    """The programs of the task `distribute`."""

    def check(self, trial: Trial) -> None:
        """Raise TrialError for an unknown application, or for what a scheme cannot do."""
        for planned in (*hosts_of(trial).servers, *hosts_of(trial).peers):
            _adapter_of(trial, planned)
        _scheme_of(trial).check(trial)

    def findings(self, trials: Sequence[Trial], experiment: Path) -> Iterator[tuple[Trial, Finding]]:
        """Yield what is wrong with other people's programs, and with strategies, which only BitTorrent has."""
        yield from client_findings(trials, experiment)
        yield from encryption_findings(trials)
        yield from strategy_findings(
            [trial for trial in trials if settings_of(trial).distribution == "bittorrent"], experiment
        )

    def versions(self, trials: Sequence[Trial], experiment: Path) -> Mapping[str, str]:
        """Return the versions of the programs that are not ours, by the names that the experiment file gives them."""
        return client_versions(trials, experiment)

    def check_rehearsal(self, trial: Trial) -> None:
        """Raise TrialError for what virtual time does not have."""
        check_virtual(trial)

    def rehearse(self, trial: Trial, experiment: Path, prints: Print) -> Iterator[Happening]:
        """Perform a trial in virtual time, if it is one of BitTorrent."""
        return rehearse(trial, experiment, prints)

    def preload(self, trial: Trial) -> Sequence[str]:
        """Return the modules of the scheme and of every implementation that the trial uses."""
        adapters = [_adapter_of(trial, planned) for planned in (*hosts_of(trial).servers, *hosts_of(trial).peers)]
        modules = [*_scheme_of(trial).preload, *(module for adapter in adapters for module in adapter.preload)]
        return list(dict.fromkeys([*modules, *([_IMPORTED_LATE] if find_spec(_IMPORTED_LATE) else [])]))

    def returning_hosts(self, trial: Trial) -> Collection[str]:
        """Return the peers that leave mid-way: they come back with another identity and address."""
        return [peer.name for peer in hosts_of(trial).peers if peer.departure.kind == "mid_way"]

    def prepare(self, context: TrialContext) -> None:
        """Make the payload file, and what the scheme needs besides."""
        make_payload_file(context.shared_folder, context.experiment_seed, settings_of(context.trial).file_size)
        _scheme_of(context.trial).prepare(context)

    def assignments(self, context: TrialContext) -> Sequence[Assignment]:
        """Return those that introduce peers to one another if there are any, the servers, and the peers."""
        return [*_tracker(context), *_bootstrap(context), *_servers(context), *_peers(context)]

    def progress(self, trial: Trial, received: Mapping[str, int]) -> Mapping[str, float]:
        """Estimate the share of the file that each peer has, as if it received payload only."""
        share = payload_share() / settings_of(trial).file_size
        return {peer.name: min(_NEARLY_DONE, peer.held + received[peer.name] * share) for peer in hosts_of(trial).peers}


def _scheme_of(trial: Trial) -> Scheme:
    return SCHEMES[settings_of(trial).distribution]


def _adapter_of(trial: Trial, planned: PlannedServer) -> Adapter:
    scheme, name = _scheme_of(trial), planned.application
    if name in scheme.adapters:
        return scheme.adapters[name]
    if scheme.other is not None and (name in scheme.others or ":" in name):
        return scheme.other
    raise TrialError(
        f"{planned.name}: unknown application {name!r} for {settings_of(trial).distribution}:"
        f" write {', '.join((*scheme.adapters, *scheme.others))}"
    )


def _tracker(context: TrialContext) -> Iterator[Assignment]:
    planned, launch = hosts_of(context.trial).tracker, _scheme_of(context.trial).tracker
    if planned is not None and launch is not None:
        details = {"application": planned.kind if planned.application == OURS else planned.application}
        yield _introducer(planned, "tracker", launch(context, planned), details)


def _bootstrap(context: TrialContext) -> Iterator[Assignment]:
    planned, launch = hosts_of(context.trial).bootstrap, _scheme_of(context.trial).bootstrap
    if planned is not None and launch is not None:
        yield _introducer(planned, "bootstrap", launch(context, planned), {"application": "dht"})


def _introducer(planned: PlannedProgram, role: str, launch: Launch, details: Mapping[str, Any]) -> Assignment:
    return Assignment(planned, role, role, Phase.INFRASTRUCTURE, launch, killed_at=planned.killed_at, details=details)


def _servers(context: TrialContext) -> Iterator[Assignment]:
    for planned in hosts_of(context.trial).servers:
        launch = _adapter_of(context.trial, planned).server(context, planned)
        details = _behaviour(planned)
        killed_at = planned.killed_at
        yield Assignment(planned, "server", "servers", Phase.SERVICE, launch, killed_at=killed_at, details=details)


def _peers(context: TrialContext) -> Iterator[Assignment]:
    for planned in hosts_of(context.trial).peers:
        launch = _adapter_of(context.trial, planned).peer(context, planned)
        details = {**_behaviour(planned), "group": planned.group, "arrival_s": planned.arrival}
        yield Assignment(
            planned,
            "peer",
            planned.group,
            Phase.PARTICIPANT,
            launch,
            arrival=planned.arrival,
            killed_at=planned.killed_at,
            details=details,
        )


def _behaviour(planned: PlannedServer) -> dict[str, Any]:
    common = {"application": planned.application}
    if planned.encryption:
        common["encryption"] = planned.encryption
    if not planned.is_ours:
        return common
    return {"strategy": planned.strategy.model_dump(mode="json"), "profile": planned.profile, **common}
