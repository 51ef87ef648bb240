"""What this machine may not emulate faithfully."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import exp, log
from typing import Final, TypeAlias, TypeVar

from testbed.experiment.plan.trials import Trial
from testbed.values.costs import MOST_TESTED
from testbed.values.units import format_duration

PROGRAMS_SHARE: Final = 0.3
"""The share of the bare network's capacity that programs in Python can fill: a cautious guess."""

LEAST_SECONDS: Final = 5.0
"""In a shorter trial, connection set-up and slow start dominate the measurement."""

UNJUDGED_SECONDS: Final = 2.0
"""Links are judged second by second: in a shorter trial, none may be busy for a whole second."""

CAPTURE_SHARE: Final = 0.2
"""The share of a processor that captures may take: more was seen to make programs wake late."""

LONG_SECONDS: Final = 24 * 3600.0
"""What takes longer than a day may be a surprise."""

T = TypeVar("T")


@dataclass(frozen=True)
class Machine:
    """What is known about this machine."""

    carries: Mapping[int, int] = field(default_factory=dict)
    """The measured capacity of the bare core in bit/s, by number of hosts; empty if it was not measured."""
    can_delay: bool = True
    """Whether links can delay and lose packets."""

    def capacity(self, hosts: int) -> float | None:
        """Return the capacity for a number of hosts: interpolated between measurements, constant beyond them."""
        known = sorted(self.carries.items())
        if not known:
            return None
        for (few, high), (many, low) in pairwise(known):
            if few <= hosts <= many and high > 0 < low:
                share = (log(hosts) - log(few)) / (log(many) - log(few))
                return exp(log(high) + share * (log(low) - log(high)))
        return float(known[0][1] if hosts < known[0][0] else known[-1][1])


@dataclass(frozen=True)
class Doubt:
    """Something that may not be emulated faithfully: the worst case, and the ids of all trials concerned."""

    text: str
    trials: tuple[str, ...]
    """None if it concerns the plan as a whole."""


Complaint: TypeAlias = tuple[float, str]
"""How bad it is, and the message."""


def doubts(trials: Sequence[Trial], machine: Machine) -> list[Doubt]:
    """Return the reasons to doubt these trials on this machine, each with its worst case."""
    found = [doubt for check in _CHECKS if (doubt := worst(trials, machine, check)) is not None]
    return [*found, *_long_plan(trials)]


def worst(trials: Sequence[Trial], known: T, check: Callable[[Trial, T], Complaint | None]) -> Doubt | None:
    """Return the worst complaint of a check about trials, given what is known about the machine; None without any."""
    found = [(complaint, trial.id) for trial in trials if (complaint := check(trial, known)) is not None]
    if not found:
        return None
    (_, text), _ = max(found, key=lambda each: each[0][0])
    return Doubt(text, tuple(trial for _, trial in found))


def _long_plan(trials: Sequence[Trial]) -> Iterator[Doubt]:
    seconds = sum(trial.estimate.seconds for trial in trials)
    if seconds > LONG_SECONDS:
        hours = format_duration(3600 * round(seconds / 3600))
        yield Doubt(f"all trials together take about {hours}: fewer points or repetitions take less", ())


def _is_too_much(trial: Trial, machine: Machine) -> Complaint | None:
    capacity = machine.capacity(len(trial.hosts.positions))
    load = trial.estimate.bits_per_second
    if capacity is None or load <= capacity * PROGRAMS_SHARE:
        return None
    return load, (
        f"{load / 1e6:.0f} Mbit/s through the core, but with programs on {len(trial.hosts.positions)} hosts this"
        f" machine can probably carry only {capacity * PROGRAMS_SHARE / 1e6:.0f}: lower the rates,"
        " and the file size with them"
    )


def _has_too_many_hosts(trial: Trial, _machine: Machine) -> Complaint | None:
    hosts = len(trial.hosts.positions)
    return (
        (hosts, f"{hosts} hosts, but at most {MOST_TESTED} have been tested: use fewer")
        if hosts > MOST_TESTED
        else None
    )


def _cannot_delay(trial: Trial, machine: Machine) -> Complaint | None:
    if machine.can_delay or not any(host.delay or host.loss for host in trial.hosts.all):
        return None
    return 1, "links delay or lose packets, which this machine cannot emulate: leave out `delay:` and `loss:`"


def _captures_too_much(trial: Trial, _machine: Machine) -> Complaint | None:
    share = trial.needs.capturing
    if share <= CAPTURE_SHARE:
        return None
    return share, (
        f"captures take about {share:.0%} of a processor while all links are busy, and may disturb the trial: capture"
        " fewer hosts or only the core, shorten packets (`snaplen: headers`), or write a `filter:`"
    )


def _is_too_short(trial: Trial, _machine: Machine) -> Complaint | None:
    seconds = _least_seconds(trial)
    if seconds is None or not UNJUDGED_SECONDS <= seconds < LEAST_SECONDS:
        return None
    return -seconds, (
        f"the bound is only {_rounded(seconds)}, so start-up is a large part of the result: use a larger file or slower"
        " links"
    )


def _cannot_be_judged(trial: Trial, _machine: Machine) -> Complaint | None:
    seconds = _least_seconds(trial)
    if seconds is None or seconds >= UNJUDGED_SECONDS:
        return None
    return -seconds, (
        f"the bound is only {_rounded(seconds)}, too short to judge the emulation, as no link may be busy for a whole"
        f" second: use a larger file or slower links, to exceed {_rounded(UNJUDGED_SECONDS)}"
    )


def _cannot_end(trial: Trial, _machine: Machine) -> Complaint | None:
    seconds = _least_seconds(trial)
    if seconds is None or seconds <= trial.settings.time_limit:
        return None
    return seconds, (
        f"the bound is {_rounded(seconds)}, but the time limit is {_rounded(trial.settings.time_limit)}:"
        " raise `time_limit:`"
    )


def _least_seconds(trial: Trial) -> float | None:
    return trial.least_time.seconds if trial.least_time else None


def _rounded(seconds: float) -> str:
    return format_duration(round(seconds, 1))


_Check: TypeAlias = Callable[[Trial, Machine], Complaint | None]
_CHECKS: Final[tuple[_Check, ...]] = (
    _is_too_much,
    _has_too_many_hosts,
    _cannot_delay,
    _captures_too_much,
    _cannot_end,
    _is_too_short,
    _cannot_be_judged,
)
