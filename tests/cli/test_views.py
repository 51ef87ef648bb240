"""The views of a run: each shows the same events."""

import io
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from testbed.cli.terminal.live import LiveLines, screen
from testbed.cli.terminal.output import in_words
from testbed.cli.terminal.run_progress import RunProgress
from testbed.cli.terminal.views import (
    JsonLines,
    LiveView,
    PlainLines,
    Silent,
    View,
    choose_view,
    result_of,
)
from testbed.experiment import Plan, Trial
from testbed.tasks.distribute.task import DISTRIBUTE
from testbed.tasks.planning import TASKS
from testbed.trial.events import (
    Collecting,
    Event,
    Preparing,
    Progress,
    RunBegan,
    RunEnded,
    TrialAborted,
    TrialBegan,
    TrialEnded,
)
from tests.tasks.find.files import RING, trial_of
from tests.trial.plans import plan_of


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return plan_of(tmp_path, more="sweep:\n  distribution: [client-server, fluid]\n")


def progress(seconds: float, *reasons: str, is_last: bool = False) -> Progress:
    return Progress(seconds, 3, 1, 1, {"p1": 1.0, "p2": 0.5, "p3": 0.0}, 8e6, 0.4, 0.5, reasons, is_last)


@dataclass
class Clock:
    """A clock that tests set."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def ended(plan: Plan, *reasons: str, seconds: float = 4.0) -> TrialEnded:
    bound = plan.trials[0].theory.client_server.payload_seconds
    verdict = "suspect" if reasons else "valid"
    return TrialEnded(plan.trials[0], "complete", 3, 3, 1.25 * bound, verdict, reasons, seconds, False, {})


def events_of_run(plan: Plan) -> list[Event]:
    return [
        RunBegan(Path("runs/x"), plan, frozenset()),
        TrialBegan(1, plan.trials[0]),
        Preparing("starting programs", 3, 4),
        progress(1.0),
        progress(31.0, "something is late"),
        progress(32.0, is_last=True),
        Collecting(),
        ended(plan, "something is late"),
        TrialBegan(2, plan.trials[1]),
        TrialAborted(plan.trials[1], "no server"),
        RunEnded(Path("runs/x"), 1, 1),
    ]


def show(view: View, events: list[Event], clock: Clock | None = None) -> None:
    """Show events, with progress at its time."""
    for event in events:
        if clock is not None and isinstance(event, Progress):
            clock.now = event.seconds
        view(event)
    view.close()


def terminal(width: int = 80) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=24, no_color=True)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_plain_lines_for_trials_and_every_30_seconds(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    show(PlainLines(clock), events_of_run(plan), clock)
    lines = capsys.readouterr().err.splitlines()
    left = in_words(sum(trial.estimate.seconds for trial in plan.trials))
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
    assert lines[7]["id"] == plan.trials[0].id
    assert lines[-1] == {"event": "run ended", "folder": "runs/x", "missing": 1, "exit_status": 1}


def test_quiet_prints_nothing(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    show(Silent(), events_of_run(plan))
    assert capsys.readouterr() == ("", "")


def test_plain_lines_tell_of_a_long_preparation(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    view = PlainLines(clock)
    view(TrialBegan(1, plan.trials[0]))
    for clock.now, done in ((20, 100), (31, 180), (32, 190), (61, 290)):
        view(Preparing("creating hosts", done, 300))
    lines = capsys.readouterr().err.splitlines()[1:]
    assert lines == ["testbed:   creating hosts: 180 of 300", "testbed:   creating hosts: 290 of 300"]


def test_live_view_shows_trials(plan: Plan) -> None:
    console = terminal(100)
    show(LiveView(console), events_of_run(plan))
    shown = text_of(console)
    assert "starting programs: 3 of 4" in shown
    assert "fidelity: something is late" in shown
    assert "1 s; ends when all peers are complete, or after 30 s (`time_limit:`)" in shown
    assert "press Ctrl-C again to stop now and discard it" in shown
    assert "writing the results" in shown
    assert "1/2 distribution client-server, repetition 1: " in shown
    assert "no result: no server" in shown
    assert shown.endswith("\x1b[?25h")


def test_parent_erases_what_a_killed_process_has_drawn(tmp_path: Path) -> None:
    with (tmp_path / "screen").open("w") as file:
        lines = LiveLines(Console(file=file, force_terminal=True, width=80, height=24))
        child = os.fork()
        if child == 0:
            lines.draw(Text("one\ntwo\nthree"))
            os._exit(0)
        os.waitpid(child, 0)
        lines.erase()
        lines.erase()
    drawn, _, erased = (tmp_path / "screen").read_bytes().decode().partition("three\n")
    assert drawn.endswith("one\ntwo\n")
    assert erased == "\r\x1b[2K" + 3 * "\x1b[1A\x1b[2K" + "\x1b[?25h"


def test_live_lines_are_no_higher_than_the_terminal() -> None:
    console = terminal()
    LiveLines(console).draw(Text("\n".join(map(str, range(100)))))
    assert text_of(console).splitlines()[-1] == "22"


GROUPS = "homes: {count: 6, up: 8 Mbit/s}\nriders: {count: 3, up: 8 Mbit/s}"


def shown_of(trial: Trial, shares: dict[str, float]) -> list[str]:
    """Return the lines that show this progress of a trial."""
    console = terminal()
    event = Progress(5.0, len(shares), 0, 0, shares, 8e6, 0.4, 0.5, (), is_last=False)
    console.print(screen(RunProgress(trial=trial, progress=event), event))
    lines = text_of(console).splitlines()
    assert max(map(len, lines)) <= 80
    return lines


def test_many_peers_are_shown_by_group(tmp_path: Path) -> None:
    (trial,) = plan_of(tmp_path, peers=GROUPS).trials
    lines = shown_of(trial, {f"p{k}": 0.5 if k <= 6 else 0.2 for k in range(1, 10)})
    bars = [(line.split()[0], line.split()[-1]) for line in lines if "━" in line]
    assert bars == [("all", "40%"), ("homes", "50%"), ("riders", "20%")]
    assert any(line.startswith("homes (6) ") for line in lines)


def test_few_peers_are_shown_with_their_group(tmp_path: Path) -> None:
    (trial,) = plan_of(tmp_path, peers=GROUPS.replace("6", "1").replace("3", "1")).trials
    lines = shown_of(trial, {"p1": 0.5, "p2": 0.25})
    assert [line.split("━")[0].split() for line in lines if "━" in line] == [["all"], ["p1", "homes"], ["p2", "riders"]]


def test_peers_of_one_group_are_shown_by_name_alone(plan: Plan) -> None:
    lines = shown_of(plan.trials[0], {"p1": 0.5, "p2": 0.25, "p3": 0.25})
    assert [line.split("━")[0].split() for line in lines if "━" in line] == [["all"], ["p1"], ["p2"], ["p3"]]


def test_time_left_counts_only_the_chosen_trials(plan: Plan) -> None:
    run, chosen = RunProgress(), plan.trials[1]
    run.update(RunBegan(Path("runs/x"), plan, frozenset(), frozenset([chosen.id])))
    assert run.time_left() == f"{round(chosen.estimate.seconds)} s"


def test_time_left_is_corrected_by_past_trials(plan: Plan) -> None:
    run = RunProgress()
    run.update(RunBegan(Path("runs/x"), plan, frozenset()))
    first, second = (trial.estimate.seconds for trial in plan.trials)
    assert run.time_left() == f"{round(first + second)} s"
    run.update(ended(plan, seconds=2 * first))
    assert run.time_left() == f"{round(2 * second)} s"


def test_trial_without_a_result_needs_no_more_time(plan: Plan) -> None:
    run = RunProgress(plan=plan)
    run.update(TrialAborted(plan.trials[0], "no server"))
    assert run.time_left() == in_words(plan.trials[1].estimate.seconds)


def test_time_left_falls_within_a_trial(plan: Plan) -> None:
    clock = Clock(100.0)
    run = RunProgress(plan=plan, clock=clock)
    first, second = (trial.estimate.seconds for trial in plan.trials)
    run.update(TrialBegan(1, plan.trials[0]))
    clock.now += 1.5
    assert run.time_left() == in_words(first - 1.5 + second)


@pytest.mark.parametrize(("share", "left"), [(0.5, 20.0), (0.9, 20 / 9), (0.1, 10.0), (0.0, 10.0)])
def test_late_trial_is_expected_to_go_on_to_its_limit(tmp_path: Path, share: float, left: float) -> None:
    """The time limit is 30 s, and 20 s have passed since t = 0: what remains is at most 10 s."""
    (trial,) = (plan := plan_of(tmp_path, more="distribution: fluid\n")).trials
    clock = Clock()
    run = RunProgress(plan=plan, clock=clock)
    run.update(TrialBegan(1, trial))
    clock.now = 21.0
    assert run.time_left() == "0 s"
    run.update(replace(progress(20.0), progress={"p1": share}))
    assert run.time_left() == in_words(min(left, 10.0))


def test_task_names_participants_and_theory(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    done, event = ended(plan), progress(1.0)
    assert result_of(done).endswith("times the payload bound; valid")
    nodes = replace(DISTRIBUTE, participants="nodes", least_time=lambda *_: None)
    monkeypatch.setitem(TASKS, "distribute", nodes)  # type: ignore[misc]
    assert result_of(done).endswith(" s; valid")
    assert result_of(replace(done, completion_s=None)) == "complete, 3 of 3 nodes complete; valid"
    assert RunProgress(trial=plan.trials[0]).participants(event) == "1 of 3 nodes complete, 3 joined, 1 failed"


def test_searches_are_counted_and_not_nodes_that_have_asked_all(tmp_path: Path) -> None:
    trial = trial_of(tmp_path, RING)
    event = replace(progress(31.0), steps=40, steps_ended=12)
    run = RunProgress(trial=trial, progress=event)
    assert run.participants(event) == "3 of 3 nodes joined, 12 of 40 searches ended, 1 failed"
    console = terminal()
    console.print(screen(run, event))
    assert "31 s; ends when all searches have ended, or after" in text_of(console)
    ended = TrialEnded(trial, "time limit", 3, 1, None, "valid", (), 60.0, False, {}, 40, 12)
    assert result_of(ended) == "time limit, 12 of 40 searches ended; valid"


def test_options_choose_the_view() -> None:
    assert isinstance(choose_view(quiet=True, json_lines=False), Silent)
    assert isinstance(choose_view(quiet=True, json_lines=True), JsonLines)
    assert isinstance(choose_view(quiet=False, json_lines=False), PlainLines | LiveView)
