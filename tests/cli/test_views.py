"""The views of a run: each shows the same events."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from testbed.cli.terminal.views import (
    JsonLines,
    LiveView,
    PlainLines,
    RunProgress,
    Silent,
    View,
    choose_view,
    result_of,
)
from testbed.experiment import Plan
from testbed.tasks.distribute.task import DISTRIBUTE
from testbed.tasks.planning import TASKS
from testbed.trial.events import (
    Collecting,
    Event,
    Progress,
    RunBegan,
    RunEnded,
    TrialBegan,
    TrialEnded,
    TrialFailed,
)
from tests.trial.plans import plan_of


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return plan_of(tmp_path, more="sweep:\n  distribution: [client-server, fluid]\n")


def progress(seconds: float, *reasons: str, is_last: bool = False) -> Progress:
    return Progress(seconds, 3, 1, 1, {"p1": 1.0, "p2": 0.5, "p3": 0.0}, 8e6, 0.4, 0.5, reasons, is_last)


def ended(plan: Plan, *reasons: str, seconds: float = 4.0) -> TrialEnded:
    bound = plan.trials[0].theory.client_server.payload_seconds
    verdict = "suspect" if reasons else "valid"
    return TrialEnded(plan.trials[0], "complete", 3, 3, 1.25 * bound, verdict, reasons, seconds, False, {})


def events_of_run(plan: Plan) -> list[Event]:
    return [
        RunBegan(Path("runs/x"), plan, frozenset()),
        TrialBegan(1, plan.trials[0]),
        progress(1.0),
        progress(31.0, "something is late"),
        progress(32.0, is_last=True),
        Collecting(),
        ended(plan, "something is late"),
        TrialBegan(2, plan.trials[1]),
        TrialFailed(plan.trials[1], "no server"),
        RunEnded(Path("runs/x"), 1, 1),
    ]


def show(view: View, events: list[Event]) -> None:
    for event in events:
        view(event)
    view.close()


def test_plain_lines_for_trials_and_every_30_seconds(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    show(PlainLines(), events_of_run(plan))
    lines = capsys.readouterr().err.splitlines()
    left = RunProgress(plan=plan).time_left()
    assert [line for line in lines if "trial" in line] == [
        "testbed: 2 trials in runs/x",
        f"testbed: trial 1 of 2: distribution client-server, repetition 1; about {left} left",
        next(line for line in lines if "trial 2 of 2" in line),
    ]
    assert "testbed:   31 s: 1 of 3 peers complete, 3 joined, 1 failed; 8.0 Mbit/s in total; CPU 40% idle" in lines[2]
    assert lines[3].endswith("1.250 times the payload bound; suspect: something is late")
    assert lines[-1] == "testbed:   no result: no server"
    assert len(lines) == 6


def test_resumed_run_is_announced(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    show(PlainLines(), [RunBegan(Path("runs/x"), plan, frozenset([plan.trials[0].id]))])
    assert capsys.readouterr().err == "testbed: resuming runs/x: 1 of 2 trials is complete\n"


def test_json_has_a_line_for_each_event(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    show(JsonLines(), events_of_run(plan))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["event"] for each in lines] == [event.event for event in events_of_run(plan)]
    assert lines[0] == {"event": "run began", "folder": "runs/x", "trials": 2, "done": 0}
    assert lines[1]["point"] == {"distribution": "client-server"}
    assert lines[6]["id"] == plan.trials[0].id
    assert lines[-1] == {"event": "run ended", "folder": "runs/x", "missing": 1, "exit_status": 1}


def test_quiet_prints_nothing(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    show(Silent(), events_of_run(plan))
    assert capsys.readouterr() == ("", "")


def test_live_view_shows_trials(plan: Plan) -> None:
    terminal = io.StringIO()
    show(LiveView(Console(file=terminal, force_terminal=True, width=100, no_color=True)), events_of_run(plan))
    shown = terminal.getvalue()
    assert "fidelity: something is late" in shown
    assert "press Ctrl-C again to stop now and discard it" in shown
    assert "1/2 distribution client-server, repetition 1: " in shown
    assert "no result: no server" in shown
    assert shown.endswith("\x1b[?25h")


def test_time_left_is_corrected_by_past_trials(plan: Plan) -> None:
    run = RunProgress()
    run.update(RunBegan(Path("runs/x"), plan, frozenset()))
    first, second = (trial.estimate.seconds for trial in plan.trials)
    assert run.time_left() == f"{round(first + second)} s"
    run.update(ended(plan, seconds=2 * first))
    assert run.time_left() == f"{round(2 * second)} s"


def test_task_names_participants_and_theory(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    done, event = ended(plan), progress(1.0)
    assert result_of(done).endswith("times the payload bound; valid")
    nodes = replace(DISTRIBUTE, participants="nodes", least_time=lambda *_: None)
    monkeypatch.setitem(TASKS, "distribute", nodes)  # type: ignore[misc]
    assert result_of(done).endswith(" s; valid")
    assert result_of(replace(done, completion_s=None)) == "complete, 3 of 3 nodes complete; valid"
    assert RunProgress(trial=plan.trials[0]).participants(event) == "1 of 3 nodes complete, 3 joined, 1 failed"


def test_options_choose_the_view() -> None:
    assert isinstance(choose_view(quiet=True, json_lines=False), Silent)
    assert isinstance(choose_view(quiet=True, json_lines=True), JsonLines)
    assert isinstance(choose_view(quiet=False, json_lines=False), PlainLines | LiveView)
