"""The seams of a run: any engine can perform its trials, and any executor can decide where."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from testbed.errors import RunError, TrialError
from testbed.runfolder.collection import make_run
from testbed.runfolder.folder import RunFolder
from testbed.runs.executor import TrialOutcome, sequential
from testbed.runs.run_all import MOST_FAILURES, run_trials
from testbed.trial.engine import Engine
from testbed.trial.events import Event, Notify, TrialAborted, TrialBegan, TrialEnded, TrialOrder
from tests.trial.plans import plan_of

SESSION = {"started": "today", "ended": None}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path / "runs", "small", "", plan_of(tmp_path, more="repeat: 4\n"))


def orders_of(run: RunFolder) -> list[TrialOrder]:
    return [TrialOrder(k, trial, run.trials, run.work, 1) for k, trial in enumerate(run.plan.trials, start=1)]


def instant(order: TrialOrder, _notify: Notify) -> TrialEnded:
    """Leave an empty trial folder at once."""
    (order.trials / order.trial.id).mkdir()
    return TrialEnded(order.trial, "complete", 3, 3, 1.0, "valid", (), 0.0, order.number == 3, {"a": "b"})


def failing(_order: TrialOrder, _notify: Notify) -> TrialEnded:
    raise TrialError("no server")


def ignore(_event: Event) -> None:
    pass


def test_next_trial_waits_until_its_outcome_is_asked_for(run: RunFolder) -> None:
    events: list[Event] = []
    outcomes = sequential(orders_of(run), instant, events.append)
    next(outcomes)
    assert [event.number for event in events if isinstance(event, TrialBegan)] == [1]
    next(outcomes)
    assert [event.number for event in events if isinstance(event, TrialBegan)] == [1, 2]


def test_trial_error_becomes_an_outcome(run: RunFolder) -> None:
    first, *_ = sequential(orders_of(run), failing, ignore)
    assert first == TrialAborted(run.plan.trials[0], "no server")


def test_run_stops_after_trial_marked_last(run: RunFolder) -> None:
    tally = run_trials(run, dict(SESSION), ignore, engine=instant)
    assert tally.is_interrupted
    assert len(tally.ended) == 3
    assert run.sessions[0]["host_settings"] == {"a": "b"}


def test_failures_in_a_row_end_the_run(run: RunFolder) -> None:
    events: list[Event] = []
    with pytest.raises(RunError, match=f"{MOST_FAILURES} trials in a row have no result.*: no server"):
        run_trials(run, dict(SESSION), events.append, engine=failing)
    assert sum(isinstance(event, TrialAborted) for event in events) == MOST_FAILURES


def test_another_executor_may_finish_trials_in_another_order(run: RunFolder) -> None:
    def backwards(orders: Sequence[TrialOrder], engine: Engine, notify: Notify) -> Iterator[TrialOutcome]:
        yield from sequential(orders[::-1], engine, notify)

    tally = run_trials(run, dict(SESSION), ignore, engine=instant, executor=backwards)
    assert [outcome.trial for outcome in tally.ended] == list(run.plan.trials[:1:-1])
