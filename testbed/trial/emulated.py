"""The emulated engine: one trial with namespaces and sockets, in time order from top to bottom."""

import tempfile
import time
from functools import partial
from pathlib import Path

from testbed.errors import TrialError
from testbed.experiment.plan.trials import Trial
from testbed.network import Network, ProcessError, sandbox
from testbed.runfolder.handles import for_other_processes
from testbed.runfolder.record import TrialRecord
from testbed.runfolder.trial_folder import unfinished_folder
from testbed.tasks.launches import TrialContext
from testbed.tasks.programs import programs_of
from testbed.topology.planned import topology_of
from testbed.trial.applications.applications import Applications
from testbed.trial.capture.capture import capturing
from testbed.trial.capture.orders import CaptureSite
from testbed.trial.events import Collecting, Notify, TrialEnded, TrialOrder
from testbed.trial.fidelity import Evidence, judge
from testbed.trial.interrupts import Interrupt, interrupts_of_trial
from testbed.trial.monitoring.delays import delay_faults
from testbed.trial.monitoring.links import LinkMonitor
from testbed.trial.monitoring.machine import MachineMonitor, machine_limits
from testbed.trial.monitoring.monitor import TrialMonitor
from testbed.trial.recording import Performance, write_trial
from testbed.trial.return_addresses import give_return_addresses
from testbed.trial.steps import Steps


def perform(order: TrialOrder, notify: Notify) -> TrialEnded:
    """Perform a trial in a sandbox of its own. The folder is made outside, so that it goes if the sandbox is killed."""
    try:
        with unfinished_folder(order.trials, order.trial.id) as folder:
            return sandbox.run(lambda: _perform_inside(order, for_other_processes(folder), notify))
    except (ProcessError, sandbox.SandboxError) as error:
        raise TrialError(str(error)) from error


def _perform_inside(order: TrialOrder, folder: Path, notify: Notify) -> TrialEnded:
    began = time.monotonic()
    with interrupts_of_trial() as interrupt, tempfile.TemporaryDirectory(dir="/run") as work:
        performance = _perform(order, folder, Path(work), interrupt, notify)
        notify(Collecting())
        record = write_trial(performance, judge(_evidence(performance)), folder)
        return _summary(performance, record, seconds=time.monotonic() - began, is_last=interrupt.is_asked)


def _perform(order: TrialOrder, folder: Path, work: Path, interrupt: Interrupt, notify: Notify) -> Performance:
    """Perform the trial, from building the network to the end of the last program."""
    trial, programs, steps = order.trial, programs_of(order.trial), Steps(notify)
    with _network_of(trial, work, steps) as network:
        context = _context_of(order, network, work)
        steps("preparing files")
        programs.prepare(context)
        applications = Applications.assigned(programs.assignments(context), context)
        site = CaptureSite(network, context, applications.groups, order.program)
        with (
            capturing(network, site.places(folder), work) as captures,
            LinkMonitor(network) as links,
            MachineMonitor(work) as machine,
        ):
            count = len(applications.all)
            applications.start(
                network, work, steps.counting("starting programs", count), steps.counting("waiting for programs", count)
            )
            progress_of = partial(programs.progress, trial)
            monitor = TrialMonitor(
                applications.all, trial.settings.time_limit, progress_of, links, machine, interrupt, notify
            )
            interrupt.has_begun = True
            stopped = monitor.run(applications.pids)
            end = time.monotonic()
            faults = delay_faults(network.delay_boxes)
            applications.stop()
            settings = {**network.settings, "congestion control": network.congestion_control}
    return Performance(context, applications, captures, links, machine, monitor.t0, end, stopped, settings, faults)


def _network_of(trial: Trial, work: Path, steps: Steps) -> Network:
    return Network(
        topology_of(trial),
        congestion_control=trial.settings.congestion_control,
        seed=trial.seed,
        output=work / "output",
        preload=programs_of(trial).preload(trial),
        tell=steps,
    )


def _context_of(order: TrialOrder, network: Network, work: Path) -> TrialContext:
    return TrialContext(
        trial=order.trial,
        addresses={host.name: str(host.address) for host in network.hosts},
        return_addresses=give_return_addresses(network, programs_of(order.trial).returning_hosts(order.trial)),
        folder=work,
        shared_folder=for_other_processes(order.shared_folder),
        experiment_seed=order.experiment_seed,
    )


def _evidence(performance: Performance) -> Evidence:
    samples, lags = performance.machine.samples, [end.worst_lag for end in performance.trace_ends.values()]
    limits = [*performance.machine.faults, *performance.delay_faults, *machine_limits(samples)]
    return Evidence(samples, performance.links.uses, 1000 * max(lags), limits)


def _summary(performance: Performance, record: TrialRecord, *, seconds: float, is_last: bool) -> TrialEnded:
    participants = performance.applications.participants
    moments = [
        performance.trace_ends[each.name].completed_at or each.completed_at
        for each in participants
        if each.has_completed
    ]
    completed = [moment - performance.t0 for moment in moments if moment is not None]
    return TrialEnded(
        trial=performance.context.trial,
        stopped=performance.stopped,
        participants=len(participants),
        completed=len(completed),
        completion_s=max(completed) if len(completed) == len(participants) else None,
        verdict=record.verdict,
        reasons=record.reasons,
        seconds=seconds,
        is_last=is_last,
        settings=performance.settings,
        steps=sum(each.steps for each in participants),
        steps_ended=sum(each.steps_ended for each in participants),
    )
