"""The progress of a run: live on a terminal, as plain lines, as JSON, or not shown.

A view gets events in two processes: the command has the events of the run and its trials, and a forked copy inside the
sandbox has the progress of a trial. So a view must not rely on seeing every event, and must not start threads.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final, Protocol

from rich.console import Console, Group, RenderableType
from rich.text import Text

from contract.wording import counted, one_or_many
from testbed.cli.terminal.live import LiveLines, screen
from testbed.cli.terminal.run_progress import RunProgress, doing, steps_ended, traffic
from testbed.experiment.plan.trials import Trial
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

_PLAIN_EVERY_SECONDS: Final = 30


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
        case TrialAborted():
            return {"id": event.trial.id, "why": event.why}
        case TrialEnded():
            values = asdict(event)
            del values["trial"], values["settings"]
            return {"id": event.trial.id, **values}
        case RunEnded():
            return {"folder": str(event.folder), "missing": event.missing, "exit_status": event.exit_status}
        case _:
            return asdict(event)


def result_of(event: TrialEnded) -> str:
    """Return the result and the verdict of a trial."""
    if event.completion_s is None:
        parts = f"{event.completed} of {event.participants} {event.trial.participants} complete"
        result = f"{event.stopped}, {steps_ended(event, event.trial) if event.steps else parts}"
    else:
        result = f"{event.completion_s:.2f} s{_against_theory(event.trial, event.completion_s)}"
    return f"{result}; {event.verdict}" + (f": {'; '.join(event.reasons)}" if event.reasons else "")


def _against_theory(trial: Trial, seconds: float) -> str:
    least = trial.least_time
    return "" if least is None else f", {seconds / least.seconds:.3f} times the {least.name}"


class PlainLines:
    """Prints a line on standard error when a trial begins and ends, and every 30 seconds in between."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._run = RunProgress(clock=clock)
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
                self._next = _PLAIN_EVERY_SECONDS
                return f"trial {event.number} of {run.count}: {run.name()}; about {run.time_left()} left"
            case Preparing() | Progress() if self._is_due():
                return f"  {doing(event) if isinstance(event, Preparing) else self._state(event)}"
            case TrialEnded():
                return f"  {result_of(event)}"
            case TrialAborted():
                return f"  no result: {event.why}"
            case _:
                return ""

    def _state(self, event: Progress) -> str:
        groups = self._run.by_group(event)
        shares = ", ".join(f"{group} {sum(done) / len(done):.0%}" for group, done in groups.items())
        of_groups = f" ({shares})" if len(groups) > 1 else ""
        return f"{event.seconds:.0f} s: {self._run.participants(event)}{of_groups}; {traffic(event)}"

    def _is_due(self) -> bool:
        """Whether the trial has lasted for 30 seconds more."""
        lasted = self._run.clock() - self._run.began_at
        is_due = lasted >= self._next
        if is_due:
            self._next = _PLAIN_EVERY_SECONDS * (int(lasted) // _PLAIN_EVERY_SECONDS + 1)
        return is_due


def _beginning(event: RunBegan) -> str:
    total, done = len(event.plan.trials), len(event.complete)
    trials = counted(total, "trial")
    if done:
        return f"resuming {event.folder}: {done} of {trials} {one_or_many(done, 'is', 'are')} complete"
    return f"{trials} in {event.folder}"


class LiveView:
    """Shows a line for each finished trial, and below them a few lines that say what happens now."""

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console or Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._lines = LiveLines(self._console)
        self._run = RunProgress(clock=clock)

    def __call__(self, event: Event) -> None:
        self._run.update(event)
        match event:
            case RunBegan():
                self._print(_beginning(event))
            case TrialBegan():
                self._lines.draw(self._now("beginning"))
            case Preparing():
                self._lines.draw(self._now(doing(event)))
            case Progress():
                self._lines.draw(screen(self._run, event))
            case Collecting():
                self._lines.draw(self._now("writing the results"))
            case TrialEnded():
                style = "red" if event.verdict == "failed" else "yellow" if event.reasons else ""
                self._print(f"{self._run.title()}: {result_of(event)}", style)
            case TrialAborted():
                self._print(f"{self._run.title()}: no result: {event.why}", "red")

    def close(self) -> None:
        """Restore the terminal, as the process that showed the live lines may have been killed."""
        self._lines.erase()
        self._console.show_cursor(True)

    def _print(self, text: str, style: str = "") -> None:
        self._lines.erase()
        self._console.print(Text(text), style=style)

    def _now(self, what: str) -> RenderableType:
        return Group(Text(self._run.title(), style="bold"), Text(what), Text(self._run.left()))
