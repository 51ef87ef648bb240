"""The verdict on the emulation of a trial: `valid`, or `suspect` with the reasons; pure.

It is made once, when the trial has ended, and from signals of the machine and its links only: results never change it.
docs/runs.md explains the thresholds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from contract.wording import counted, one_or_many
from testbed.runfolder.record import LONG_BUSY_SECONDS, Fidelity
from testbed.trial.monitoring.links import SHORTEST_BUSY_SECONDS, LinkUse
from testbed.trial.monitoring.machine import MachineSample
from testbed.values.units import rounded_rate

FINE_LATENESS_MS: Final = 4.0
BAD_LATENESS_MS: Final = 20.0
MOST_LATE_SHARE: Final = 0.1
"""The share of seconds that may be above the fine lateness."""
BAD_RUN_DELAY_MS: Final = 500.0
BAD_LOOP_LATENESS_MS: Final = 200.0
LEAST_IDLE: Final = 0.02
RATE_TOLERANCE: Final = 0.03
RULE_OF_THREE: Final = 3.0
"""With 95 % confidence, what n looks never saw took less than 3/n of the time."""
MOST_NAMED: Final = 3


@dataclass(frozen=True)
class Evidence:
    """The signals that a verdict is based on."""

    samples: Sequence[MachineSample]
    links: Sequence[LinkUse]
    loop_lateness_ms: float
    """The worst event loop lateness of any application."""
    limits: Sequence[str]
    """The limits of the machine that were hit, in words."""


def judge(evidence: Evidence) -> Fidelity:
    """Judge a trial."""
    reasons = tuple(_reasons(evidence))
    samples = evidence.samples
    return Fidelity(
        verdict="suspect" if reasons else "valid",
        reasons=reasons,
        lowest_idle_cpu=min((sample.idle_cpu for sample in samples), default=None),
        worst_lateness_ms=max(_lateness(samples), default=None),
        loop_lateness_ms=round(evidence.loop_lateness_ms, 3),
        run_delay_ms_per_s=max((sample.run_delay_ms for sample in samples), default=None),
        psi_cpu=max((sample.psi_cpu_some for sample in samples if sample.psi_cpu_some is not None), default=None),
        core_drops=sum(sample.softnet_drops for sample in samples),
        limits=tuple(evidence.limits),
    )


def _reasons(evidence: Evidence) -> Iterator[str]:
    yield from _of_lateness(evidence.samples)
    yield from _of_processors(evidence)
    yield from _of_links(evidence.links)
    yield from evidence.limits


def _lateness(samples: Sequence[MachineSample]) -> list[float]:
    return [sample.lateness_ms for sample in samples if sample.lateness_ms is not None]


def _of_lateness(samples: Sequence[MachineSample]) -> Iterator[str]:
    lateness = _lateness(samples)
    if not lateness:
        yield "the wakeup lateness was not measured"
    elif max(lateness) >= BAD_LATENESS_MS:
        yield f"programs woke {max(lateness):.1f} ms late in the worst second (limit: {BAD_LATENESS_MS:g} ms)"
    elif (late := sum(each > FINE_LATENESS_MS for each in lateness)) > max(1, MOST_LATE_SHARE * len(lateness)):
        yield f"programs woke more than {FINE_LATENESS_MS:g} ms late in {late} of {len(lateness)} seconds"


def _of_processors(evidence: Evidence) -> Iterator[str]:
    if any(
        sample.idle_cpu < LEAST_IDLE and (sample.lateness_ms or 0) > FINE_LATENESS_MS for sample in evidence.samples
    ):
        yield "all processors were busy and programs woke late in at least one second"
    delay = max((sample.run_delay_ms for sample in evidence.samples), default=0.0)
    if delay >= BAD_RUN_DELAY_MS:
        yield f"a program waited for a processor for {delay:.0f} ms of a second (limit: {BAD_RUN_DELAY_MS:g} ms)"
    if evidence.loop_lateness_ms >= BAD_LOOP_LATENESS_MS:
        late = evidence.loop_lateness_ms
        yield f"an event loop was {late:.0f} ms late (limit: {BAD_LOOP_LATENESS_MS:g} ms)"
    if drops := sum(sample.softnet_drops for sample in evidence.samples):
        were = one_or_many(drops, "was", "were")
        yield f"{counted(drops, 'packet')} {were} dropped on the way to the core (raise net.core.netdev_max_backlog)"


def _of_links(links: Sequence[LinkUse]) -> Iterator[str]:
    """Yield links that exceeded their rate, and links that were busy for long without reaching it."""
    off = [text for link in links if (text := _off(link))]
    yield from off[:MOST_NAMED]
    if len(off) > MOST_NAMED:
        more = len(off) - MOST_NAMED
        yield f"and {counted(more, 'other link')} {one_or_many(more, 'was off its rate', 'were off their rate')}"


def _off(link: LinkUse) -> str:
    if link.asked is None or not link.busy_seconds:
        return ""
    if link.fastest > link.asked * (1 + RATE_TOLERANCE) + 8 * link.burst_bytes / SHORTEST_BUSY_SECONDS:
        return f"{link.host} {link.direction} carried {link.fastest / link.asked:.1%} of its {rounded_rate(link.asked)}"
    if link.busy_seconds >= LONG_BUSY_SECONDS and link.fastest < link.asked * (1 - RATE_TOLERANCE - _unseen(link)):
        return (
            f"{link.host} {link.direction} carried at most {link.fastest / link.asked:.1%} of its"
            f" {rounded_rate(link.asked)} while busy for {link.busy_seconds:.0f} s"
        )
    return ""


def _unseen(link: LinkUse) -> float:
    """Return the share of its busy time in which the link may have had nothing to send without being seen."""
    return RULE_OF_THREE / link.looks if link.looks else 1.0
