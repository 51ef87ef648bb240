"""The progress of a run: live on a terminal, as plain lines, as JSON, or not shown.

A view gets events in two processes: the command has the events of the run and its trials, and a forked copy inside the
sandbox has the progress of a trial. So a view must not rely on seeing every event, and must not start threads.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from testbed.cli.terminal.output import in_words
from testbed.cli.terminal.points import name_of
from testbed.experiment.plan.plan import Plan
from testbed.experiment.plan.trials import Trial
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

_PLAIN_EVERY_SECONDS: Final = 30
_BAR_WIDTH: Final = 40
_PEERS_SHOWN: Final = 8


class View(Protocol):
    """Shows the events of a run."""

    def __call__(self, event: Event) -> None: ...

    def close(self) -> None:
        """Restore the terminal; no event follows."""


def choose_view(*, quiet: bool, json_lines: bool) -> View:
    """Return the view that the options select, or else one that suits standard error."""
    if json_lines:
        return JsonLines()
    if quiet:
        return Silent()
    return LiveView() if sys.stderr.isatty() else PlainLines()


class Silent:
    """Shows nothing."""

    def __call__(self, event: Event) -> None:
        pass

    def close(self) -> None:
        pass


class JsonLines:
    """Prints each event as a JSON object on a line of standard output."""

    def __call__(self, event: Event) -> None:
        print(json.dumps({"event": event.event, **_fields(event)}), flush=True)

    def close(self) -> None:
        pass


def _fields(event: Event) -> dict[str, Any]:
    """Return an event's fields, with a plan or a trial replaced by what identifies it."""
    match event:
        case RunBegan():
            return {"folder": str(event.folder), "trials": len(event.plan.trials), "done": len(event.complete)}
        case TrialBegan():
            return {"number": event.number, "id": event.trial.id, "point": event.trial.point}
        case TrialFailed():
            return {"id": event.trial.id, "why": event.why}
        case TrialEnded():
            values = asdict(event)
            del values["trial"], values["settings"]
            return {"id": event.trial.id, **values}
        case RunEnded():
            return {"folder": str(event.folder), "missing": event.missing, "exit_status": event.exit_status}
        case _:
            return asdict(event)


@dataclass
class RunProgress:
    """The state of a run, and an estimate of the remaining time."""

    plan: Plan | None = None
    folder: Path | None = None
    complete: set[str] = field(default_factory=set)
    chosen: frozenset[str] | None = None
    number: int = 0
    trial: Trial | None = None
    took: float = 0.0
    estimated: float = 0.0
    """Seconds that the trials of this session took (`took`), and that the plan estimated for them (`estimated`)."""

    def update(self, event: Event) -> None:
        """Update the state with an event."""
        match event:
            case RunBegan():
                self.plan, self.folder, self.complete = event.plan, event.folder, set(event.complete)
                self.chosen = event.chosen
            case TrialBegan():
                self.number, self.trial = event.number, event.trial
            case TrialEnded():
                self.complete.add(event.trial.id)
                self.took += event.seconds
                self.estimated += event.trial.estimate.seconds

    @property
    def count(self) -> int:
        """The number of planned trials."""
        return len(self.plan.trials) if self.plan else 0

    def time_left(self) -> str:
        """Estimate the remaining time from the plan, scaled by how long the trials so far took compared with it."""
        trials = self.plan.trials if self.plan else ()
        left = sum(trial.estimate.seconds for trial in trials if self._is_to_come(trial))
        return in_words(left * (self.took / self.estimated if self.estimated else 1.0))

    def _is_to_come(self, trial: Trial) -> bool:
        return trial.id not in self.complete and (self.chosen is None or trial.id in self.chosen)

    def name(self) -> str:
        """Return the point and the repetition of the current trial."""
        trial = self.trial
        if trial is None or self.plan is None:
            return "no trial"
        point = name_of(trial.point, [each.point for each in self.plan.trials])
        return f"{point}, repetition {trial.repetition}" if point else f"repetition {trial.repetition}"

    def participants(self, event: Progress) -> str:
        """Return how many participants of the current trial have joined, completed and failed."""
        noun = self.trial.participants if self.trial else "hosts"
        failed = f", {event.failed} failed" if event.failed else ""
        return f"{event.completed} of {len(event.progress)} {noun} complete, {event.joined} joined{failed}"


def result_of(event: TrialEnded) -> str:
    """Return the result and the verdict of a trial."""
    if event.completion_s is None:
        result = f"{event.stopped}, {event.completed} of {event.participants} {event.trial.participants} complete"
    else:
        result = f"{event.completion_s:.2f} s{_against_theory(event.trial, event.completion_s)}"
    return f"{result}; {event.verdict}" + (f": {'; '.join(event.reasons)}" if event.reasons else "")


def _against_theory(trial: Trial, seconds: float) -> str:
    least = trial.least_time
    return "" if least is None else f", {seconds / least.seconds:.3f} times the {least.name}"


class PlainLines:
    """Prints a line on standard error when a trial begins and ends, and every 30 seconds in between."""

    def __init__(self) -> None:
        self._run = RunProgress()
        self._next = _PLAIN_EVERY_SECONDS

    def __call__(self, event: Event) -> None:
        self._run.update(event)
        if text := self._text(event):
            print(f"testbed: {text}", file=sys.stderr, flush=True)

    def close(self) -> None:
        pass

    def _text(self, event: Event) -> str:
        run = self._run
        match event:
            case RunBegan():
                return _beginning(event)
            case TrialBegan():
                return f"trial {event.number} of {run.count}: {run.name()}; about {run.time_left()} left"
            case Progress() if event.seconds >= self._next:
                self._next = _PLAIN_EVERY_SECONDS * (int(event.seconds) // _PLAIN_EVERY_SECONDS + 1)
                return f"  {event.seconds:.0f} s: {run.participants(event)}; {_traffic(event)}"
            case TrialEnded():
                return f"  {result_of(event)}"
            case TrialFailed():
                return f"  no result: {event.why}"
            case _:
                return ""


def _beginning(event: RunBegan) -> str:
    total, done = len(event.plan.trials), len(event.complete)
    trials = "trial" if total == 1 else "trials"
    if done:
        return f"resuming {event.folder}: {done} of {total} {trials} {'is' if done == 1 else 'are'} complete"
    return f"{total} {trials} in {event.folder}"


def _traffic(event: Progress) -> str:
    late = "" if event.lateness_ms is None else f", programs {event.lateness_ms:.1f} ms late"
    return f"{event.rate / 1e6:.1f} Mbit/s in total; CPU {event.idle_cpu:.0%} idle{late}"


class LiveView:
    """Shows a line for each finished trial, and below them a few lines that change every second."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._run = RunProgress()
        self._live: Live | None = None

    def __call__(self, event: Event) -> None:
        self._run.update(event)
        match event:
            case RunBegan():
                self._console.print(_beginning(event), soft_wrap=True)
            case Progress():
                self._update(event)
            case Collecting():
                self._erase()
            case TrialEnded():
                style = "yellow" if event.reasons else None
                self._console.print(f"{self._title()}: {result_of(event)}", style=style, soft_wrap=True)
            case TrialFailed():
                self._console.print(f"{self._title()}: no result: {event.why}", style="red", soft_wrap=True)

    def close(self) -> None:
        """Restore the terminal, as the process that showed the live lines may have been killed."""
        self._erase()
        self._console.show_cursor(True)

    def _title(self) -> str:
        return f"{self._run.number}/{self._run.count} {self._run.name()}"

    def _update(self, event: Progress) -> None:
        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(self._screen(event), refresh=True)

    def _erase(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _screen(self, event: Progress) -> RenderableType:
        run, limit = self._run, 0.0 if self._run.trial is None else self._run.trial.settings.time_limit
        fidelity = "; ".join(event.reasons) or "ok so far"
        stopping = [Text("stopping after this trial; press Ctrl-C again to stop now and discard it", style="yellow")]
        return Group(
            Text(f"{self._title()}: {event.seconds:.0f} s (time limit {limit:g} s)", style="bold"),
            _bars(event.progress),
            Text(run.participants(event)),
            Text(_traffic(event)),
            Text(f"fidelity: {fidelity}", style="yellow" if event.reasons else ""),
            Text(f"{len(run.complete)} of {run.count} trials complete, about {run.time_left()} left"),
            *(stopping if event.is_last else []),
        )


def _bars(progress: Mapping[str, float]) -> RenderableType:
    """Return a bar for all peers together, and a bar for each peer if there are few."""
    table = Table.grid(padding=(0, 1))
    rows = {"all": sum(progress.values()) / len(progress)}
    if len(progress) <= _PEERS_SHOWN:
        rows |= progress
    for name, share in rows.items():
        table.add_row(Text(name), ProgressBar(total=1.0, completed=share, width=_BAR_WIDTH), Text(f"{share:.0%}"))
    return table
