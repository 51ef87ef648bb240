"""What a machine cannot hold: the figure that a plan needs at least, the figure that there is, and the way out.

A doubt is about faithfulness; what is refused here would end in the middle, with the machine's memory or disk full.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from testbed.experiment.plan.doubts import Complaint, Doubt, worst
from testbed.experiment.plan.trials import Trial
from testbed.values.costs import KERNEL_BYTES, MIB, open_files
from testbed.values.units import format_duration

LONGEST_SECONDS: Final = 365 * 24 * 3600.0
"""A plan that takes more than a year is a mistake."""


@dataclass(frozen=True)
class Resources:
    """What a machine has left; None where it is not known, or not limited."""

    memory: int | None = None
    """Bytes."""
    memory_files: int | None = None
    """Bytes of files in memory that a trial may write."""
    threads: int | None = None
    """Processes and threads that can still start."""
    namespaces: int | None = None
    """Network namespaces that this user may have."""
    open_files: int | None = None
    """Of one process."""
    disk: int | None = None
    """Bytes, where runs are kept."""
    disk_place: str = ""
    """Where that is."""


ANY_MACHINE: Final = Resources()
"""What is refused here is impossible everywhere."""


def refusals(trials: Sequence[Trial], resources: Resources) -> list[Doubt]:
    """Return why these trials cannot be run with these resources, each reason with its worst case."""
    of_trials = [doubt for check in _OF_A_TRIAL if (doubt := worst(trials, resources, check)) is not None]
    return [*of_trials, *(Doubt(text, ()) for check in _OF_ALL if (text := check(trials, resources)))]


def refused_network(hosts: int, resources: Resources) -> str:
    """Return why a network without programs cannot be built; empty if it can."""
    found = (
        _exceeds_namespaces(hosts, resources),
        _exceeds_open_files(hosts, resources),
        _exceeds_memory(hosts, hosts * KERNEL_BYTES, resources),
    )
    return next((text for text in found if text), "")


def _exceeds_namespaces(hosts: int, resources: Resources) -> str:
    if resources.namespaces is None or hosts <= resources.namespaces:
        return ""
    return (
        f"{hosts} hosts need a network namespace each, but this user may have only {resources.namespaces}"
        f" (user.max_net_namespaces): {_FEWER}, or raise that setting"
    )


def _exceeds_open_files(hosts: int, resources: Resources) -> str:
    needed = open_files(hosts)
    if resources.open_files is None or needed <= resources.open_files:
        return ""
    return (
        f"{hosts} hosts need {needed} open files, but a process may have only {resources.open_files} (ulimit -Hn):"
        f" {_FEWER}, or raise that limit"
    )


def _exceeds_memory(hosts: int, needed: int, resources: Resources) -> str:
    if resources.memory is None or needed <= resources.memory:
        return ""
    advice = f"{_FEWER}, or larger pieces" if needed > hosts * _LARGE_HOST else _FEWER
    return (
        f"{hosts} hosts need at least {_size(needed)} of memory ({_size(needed / hosts)} each), but only"
        f" {_size(resources.memory)} are available: {advice}"
    )


def _lacks_namespaces(trial: Trial, resources: Resources) -> Complaint | None:
    hosts = len(trial.hosts.positions)
    return _complaint(hosts, _exceeds_namespaces(hosts, resources))


def _lacks_open_files(trial: Trial, resources: Resources) -> Complaint | None:
    hosts = len(trial.hosts.positions)
    return _complaint(hosts, _exceeds_open_files(hosts, resources))


def _lacks_threads(trial: Trial, resources: Resources) -> Complaint | None:
    needed = trial.needs.threads
    if resources.threads is None or needed <= resources.threads:
        return None
    return needed, (
        f"programs on {len(trial.hosts.positions)} hosts need {needed} processes and threads, but only"
        f" {resources.threads} more can start (kernel.pid_max, kernel.threads-max, ulimit -u): {_FEWER}, or raise"
        " these limits"
    )


def _lacks_memory(trial: Trial, resources: Resources) -> Complaint | None:
    hosts, needs = len(trial.hosts.positions), trial.needs
    needed = hosts * KERNEL_BYTES + needs.memory + needs.traces + needs.copies
    return _complaint(needed, _exceeds_memory(hosts, needed, resources))


def _lacks_room_in_memory(trial: Trial, resources: Resources) -> Complaint | None:
    needs = trial.needs
    needed = needs.traces + needs.copies
    if resources.memory_files is None or needed <= resources.memory_files:
        return None
    if needs.copies > needs.traces:
        what, advice = "copies of the file, one for each client that is not ours,", "or fewer such clients"
    else:
        what, advice = "traces of every block", "or a lower `trace_level:`"
    return needed, (
        f"{what} need at least {_size(needed)} of files in memory, which may take only"
        f" {_size(resources.memory_files)}: use a smaller file, {advice}"
    )


def _complaint(badness: float, text: str) -> Complaint | None:
    return (badness, text) if text else None


def _lack_disk(trials: Sequence[Trial], resources: Resources) -> str:
    """Files that are distributed are kept until the run ends, one of each size; captures and traces stay."""
    shared = sum({trial.needs.shared_file for trial in trials})
    kept = sum(trial.needs.kept for trial in trials)
    if resources.disk is None or shared + kept <= resources.disk:
        return ""
    advice = "use a smaller file" if shared >= kept else "capture fewer hosts, or use a smaller file or fewer trials"
    return (
        f"the run needs at least {_size(shared + kept)} of disk ({_size(shared)} for the file that is distributed,"
        f" {_size(kept)} for captures and traces), but only {_size(resources.disk)} are free in {resources.disk_place}:"
        f" {advice}, or choose another place with --runs"
    )


def _take_years(trials: Sequence[Trial], _resources: Resources) -> str:
    seconds = sum(trial.estimate.seconds for trial in trials)
    if seconds <= LONGEST_SECONDS:
        return ""
    days = format_duration(round(seconds / 3600) * 3600)
    return f"all trials together take about {days}, more than a year: use fewer points or repetitions"


def _size(count: float) -> str:
    """Three digits are more than such figures are worth."""
    unit, name = next((unit, name) for unit, name in _UNITS if count >= unit or unit == 1)
    digits = 1 if unit > 1 and count < 100 * unit else 0
    return f"{count / unit:.{digits}f} {name}"


_FEWER: Final = "use fewer hosts"
_LARGE_HOST: Final = 50 * MIB
"""A program without many pieces takes less."""
_UNITS: Final = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B"))
_OF_A_TRIAL: Final[tuple[Callable[[Trial, Resources], Complaint | None], ...]] = (
    _lacks_memory,
    _lacks_threads,
    _lacks_open_files,
    _lacks_namespaces,
    _lacks_room_in_memory,
)
_OF_ALL: Final[tuple[Callable[[Sequence[Trial], Resources], str], ...]] = (_lack_disk, _take_years)
