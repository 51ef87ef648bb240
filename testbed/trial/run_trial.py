"""One trial in time order."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.experiment.plan.trials import Trial
from testbed.network import Network, sandbox
from testbed.runfolder.record import VERSION, Fidelity, HostRecord, TrialRecord, write_record
from testbed.runfolder.trial_folder import compress, unfinished_folder
from testbed.tasks.distribute.programs import preload_of, scheme_of
from testbed.topology.planned import topology_of
from testbed.trial.applications.applications import (
    Player,
    Troupe,
    pids,
    start_needed,
    start_peers,
    stop,
    troupe_of,
)
from testbed.trial.applications.launch import Stage
from testbed.trial.events import Collecting, Tell, TrialEnded
from testbed.trial.fidelity import Evidence, judge
from testbed.trial.interrupts import Interrupt, first_interrupt_waits
from testbed.trial.monitoring.links import LinkWatch
from testbed.trial.monitoring.machine import MachineWatch, machine_limits
from testbed.trial.monitoring.traces import completion, worst_lag
from testbed.trial.monitoring.watch import Watch
from testbed.trial.recording import capture_record, host_record, link_records, write_counters
from testbed.trial.return_addresses import give_return_addresses
from testbed.wiretap.capture import Capture, captured_hosts, capturing


@dataclass(frozen=True)
class Order:
    """A trial to be run: the file that is distributed, and where results go."""

    trial: Trial
    original: Path
    trials: Path


@dataclass(frozen=True)
class Played:
    """What a trial left behind, before it is judged and kept. Times are of CLOCK_MONOTONIC."""

    stage: Stage
    troupe: Troupe
    captures: Sequence[Capture]
    links: LinkWatch
    machine: MachineWatch
    t0: float
    end: float
    stopped: str
    settings: dict[str, str]


def conduct(order: Order, tell: Tell) -> TrialEnded:
    """Run a trial in a sandbox of its own, and keep it whole or not at all. `tell` is called in another process."""
    return sandbox.run(lambda: _conduct(order, tell))


def _conduct(order: Order, tell: Tell) -> TrialEnded:
    began = time.monotonic()
    with (
        first_interrupt_waits() as interrupt,
        unfinished_folder(order.trials, order.trial.id) as kept,
        tempfile.TemporaryDirectory(dir="/run") as work,
    ):
        played = _play(order, kept, Path(work), interrupt, tell)
        tell(Collecting())
        fidelity = judge(_evidence(played))
        _keep(order, played, fidelity, kept)
        ended = _summary(order, played, fidelity)
    return TrialEnded(**ended, seconds=time.monotonic() - began, is_last=interrupt.is_asked)


def _play(order: Order, kept: Path, work: Path, interrupt: Interrupt, tell: Tell) -> Played:
    """Perform the trial: the order of things, from the network to the end of the last program."""
    trial = order.trial
    with (
        _network_of(trial, work) as network,
        capturing(network, captured_hosts(trial), kept) as captures,
        LinkWatch(network) as links,
        MachineWatch(work) as machine,
    ):
        stage = _stage_of(order, network, work)
        scheme_of(trial).prepare(stage)
        troupe = troupe_of(stage)
        start_needed(troupe.tracker, network, work)
        start_needed(troupe.servers, network, work)
        start_peers(troupe.peers, network, work)
        watch = Watch(trial, troupe.peers, links, machine, interrupt, tell)
        stopped = watch.run(pids(troupe))
        end = time.monotonic()
        stop(troupe)
        settings = {**network.settings, "congestion control": network.congestion_control}
    return Played(stage, troupe, captures, links, machine, watch.t0, end, stopped, settings)


def _network_of(trial: Trial, work: Path) -> Network:
    return Network(
        topology_of(trial),
        congestion_control=trial.settings.congestion_control,
        seed=trial.seed,
        output=work / "output",
        preload=preload_of(trial),
    )


def _stage_of(order: Order, network: Network, work: Path) -> Stage:
    return Stage(
        trial=order.trial,
        addresses={host.name: str(host.address) for host in network.hosts},
        return_addresses=give_return_addresses(network, order.trial),
        original=order.original,
        folder=work,
    )


def _evidence(played: Played) -> Evidence:
    lags = [worst_lag(player.trace, played.t0, played.end) for player in played.troupe]
    samples = played.machine.samples
    return Evidence(samples, played.links.uses, 1000 * max(lags), machine_limits(samples))


def _keep(order: Order, played: Played, fidelity: Fidelity, kept: Path) -> None:
    """Write everything into the trial's folder; the record comes last."""
    write_counters(kept, played.links, played.machine.samples)
    traces = {player.name: compress(player.trace, kept) for player in played.troupe if player.trace.exists()}
    uses = played.links.uses
    record = TrialRecord(
        version=VERSION,
        id=order.trial.id,
        trial=order.trial,
        t0=played.t0,
        end=played.end,
        stopped=played.stopped,
        hosts=tuple(_host_record(player, played, traces.get(player.name)) for player in played.troupe),
        links=link_records(use for use in uses if use.direction != "trunk"),
        trunks=link_records(use for use in uses if use.direction == "trunk"),
        fidelity=fidelity,
        captures=tuple(capture_record(capture, kept) for capture in played.captures),
    )
    write_record(kept, record)


def _host_record(player: Player, played: Played, trace: str | None) -> HostRecord:
    address = played.stage.addresses[player.name]
    return host_record(player, address, played.end - played.t0, trace)


def _summary(order: Order, played: Played, fidelity: Fidelity) -> dict[str, Any]:
    peers = played.troupe.peers
    moments = [completion(peer.trace) for peer in peers if peer.has_completed]
    done = [moment - played.t0 for moment in moments if moment is not None]
    return {
        "trial": order.trial,
        "stopped": played.stopped,
        "completed": len(done),
        "distribution_s": max(done) if len(done) == len(peers) else None,
        "verdict": fidelity.verdict,
        "reasons": fidelity.reasons,
        "settings": played.settings,
    }
