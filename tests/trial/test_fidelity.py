"""The verdict: what makes a trial suspect and what does not, and a real trial of each kind."""

from dataclasses import replace
from pathlib import Path

import pytest

from testbed.runfolder.record import Fidelity
from testbed.trial.fidelity import Evidence, judge
from testbed.trial.monitoring.links import LinkUse
from testbed.trial.monitoring.machine import MachineSample
from testbed.trial.monitoring.wakeup_latency import summary
from tests.trial.plans import perform, plan_of

GOOD = MachineSample(
    t=1.0,
    idle_cpu=0.5,
    lateness_ms=0.3,
    lateness_max_ms=2.0,
    run_delay_ms=40.0,
    run_delay_mean_ms=20.0,
    psi_cpu_some=0.8,
    softnet_drops=0,
    memory_available=0.9,
)
MEGABIT = 1_000_000


def verdict(*samples: MachineSample, link: LinkUse | None = None, lag_ms: float = 0.0, limit: str = "") -> Fidelity:
    return judge(Evidence(samples, [link] if link else [], lag_ms, [limit] if limit else []))


def test_undisturbed_trial_is_valid() -> None:
    found = verdict(*[GOOD] * 20)
    assert (found.verdict, found.reasons) == ("valid", ())
    assert (found.lowest_idle_cpu, found.worst_lateness_ms, found.run_delay_ms_per_s, found.psi_cpu) == (
        0.5,
        0.3,
        40.0,
        0.8,
    )


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        (replace(GOOD, lateness_ms=20.0), "20.0 ms late in the worst second"),
        (replace(GOOD, lateness_ms=5.0, idle_cpu=0.0), "all processors were busy"),
        (replace(GOOD, run_delay_ms=500.0), "waited for a processor for 500 ms"),
        (replace(GOOD, softnet_drops=3), "3 packets were dropped"),
    ],
)
def test_one_bad_second_is_enough(bad: MachineSample, word: str) -> None:
    found = verdict(*[GOOD] * 50, bad)
    assert found.verdict == "suspect"
    assert word in "; ".join(found.reasons)


def test_many_late_seconds_are_suspect() -> None:
    late = replace(GOOD, lateness_ms=6.0)
    assert verdict(*[GOOD] * 18, *[late] * 2).verdict == "valid"
    assert "4 ms late in 3 of 20 seconds" in verdict(*[GOOD] * 17, *[late] * 3).reasons[0]


def test_busy_processors_alone_are_no_reason() -> None:
    """Other programs may use what the trial leaves, if they are behind it in the queue."""
    assert verdict(replace(GOOD, idle_cpu=0.0)).verdict == "valid"


def test_trial_without_samples_is_suspect() -> None:
    assert verdict().reasons == ("the wakeup lateness was not measured",)


def test_late_application_and_low_memory_are_suspect() -> None:
    assert "was 250 ms late" in verdict(GOOD, lag_ms=250.0).reasons[0]
    assert verdict(GOOD, limit="only 1 % of the memory was left").reasons == ("only 1 % of the memory was left",)


def link(seconds: float, *rates: float, looks: int = 5) -> LinkUse:
    use = LinkUse("p1", "up", 8 * MEGABIT, burst_bytes=4542)
    for rate in rates:
        use.add_busy(round(rate * seconds / 8), seconds, looks)
    return use


def test_link_faster_than_asked_is_suspect() -> None:
    assert verdict(GOOD, link=link(1.0, 8 * MEGABIT)).verdict == "valid"
    assert "p1 up carried 110.0% of its 8 Mbit/s" in verdict(GOOD, link=link(1.0, 8.8 * MEGABIT)).reasons[0]


def test_long_busy_link_must_reach_its_rate() -> None:
    pauses = [6 * MEGABIT] * 4
    assert verdict(GOOD, link=link(1.0, *pauses)).verdict == "valid"
    assert verdict(GOOD, link=link(1.0, *pauses, 8 * MEGABIT)).verdict == "valid"
    assert "at most 75.0% of its 8 Mbit/s" in verdict(GOOD, link=link(1.0, *pauses, 6 * MEGABIT)).reasons[0]


def test_unseen_pauses_are_allowed_for() -> None:
    slow = [7.4 * MEGABIT]  # 7.5 % too little
    assert verdict(GOOD, link=link(1.0, *slow * 5)).verdict == "valid", "25 looks can miss pauses of 12 % of the time"
    assert verdict(GOOD, link=link(1.0, *slow * 5, looks=20)).verdict == "suspect", "100 looks cannot"
    assert verdict(GOOD, link=link(1.0, *slow * 20)).verdict == "suspect"


def test_many_bad_links_are_summarised() -> None:
    fast = [link(1.0, 9 * MEGABIT) for _ in range(5)]
    reasons = judge(Evidence([GOOD], fast, 0.0, [])).reasons
    assert len(reasons) == 4
    assert reasons[-1] == "and 2 other links were off their rate"


def test_link_is_measured_while_busy() -> None:
    use = link(1.0, 8 * MEGABIT, 7 * MEGABIT)
    assert (use.measured, use.fastest, use.busy_seconds) == (7.5 * MEGABIT, 8 * MEGABIT, 2.0)
    assert LinkUse("p1", "up", 8 * MEGABIT).measured is None


def test_wakeup_latency_line_has_percentile_and_maximum() -> None:
    late = [0.001] * 490 + [0.010] * 10
    assert summary(12.5, late) == "12.500000 10.000 10.000\n"
    assert summary(12.5, [0.001] * 499 + [0.010]) == "12.500000 1.000 10.000\n"


@pytest.mark.kernel
def test_overloaded_trial_is_suspect(tmp_path: Path) -> None:
    """Forty peers have 1.8 Gbit/s, far more than programs in Python can fill today."""
    base = """\
file: {size: 64 MiB, piece_length: 64 KiB}
servers: {up: 200 Mbit/s}
time_limit: 4 s
time_scale: 10
"""
    peers = "homes: {count: 40, up: 40 Mbit/s, down: 200 Mbit/s}"
    ended, _ = perform(plan_of(tmp_path, base=base, peers=peers).trials[0], tmp_path)
    assert ended.verdict == "suspect"
    assert ended.reasons


@pytest.mark.kernel
def test_easy_trial_is_valid(tmp_path: Path) -> None:
    """It is repeated if other programs of the machine disturbed it, as its verdict then says."""
    trial = plan_of(tmp_path, more="distribution: client-server\n").trials[0]
    found = []
    for attempt in range(5):
        ended, _ = perform(trial, tmp_path / str(attempt))
        found.append(ended.reasons)
        if not ended.reasons:
            break
    assert () in found
