"""How a run is shown while it lasts: live on a terminal, as plain lines, as JSON, or not at all.

A view is told of events in two processes: of a run and of its trials by the command, of a trial's progress by the
process inside the sandbox, which got a copy of the view when it was forked. So a view must not expect to be told of
everything, and starts no threads.
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

from testbed.cli.points import name_of
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
from testbed.units import format_duration

_PLAIN_EVERY_SECONDS: Final = 30
_BAR_WIDTH: Final = 40
_PEERS_SHOWN: Final = 8


class View(Protocol):
    """Shows what happens."""

    def __call__(self, event: Event) -> None:
        """Something happened."""

    def close(self) -> None:
        """Nothing more will happen."""


def choose_view(*, quiet: bool, json_lines: bool) -> View:
    """Return the view that was asked for, or that suits where the output goes."""
    if json_lines:
        return JsonLines()
    if quiet:
        return Silent()
    return LiveView() if sys.stderr.isatty() else PlainLines()


class Silent:
    """Shows nothing."""

    def __call__(self, event: Event) -> None:
        """Let it pass."""

    def close(self) -> None:
        """Nothing to do."""


class JsonLines:
    """One object a line on standard output, each with the name of its `event`."""

    def __call__(self, event: Event) -> None:
        """Write it."""
        print(json.dumps({"event": event.event, **_plain(event)}), flush=True)

    def close(self) -> None:
        """Nothing to do."""


def _plain(event: Event) -> dict[str, Any]:
    """Return an event's values; of a plan and a trial only what tells them from others."""
    match event:
        case RunBegan():
            return {"folder": str(event.folder), "trials": len(event.plan.trials), "done": len(event.is_done)}
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
class Course:
    """How far a run is, and how long it may still take."""

    plan: Plan | None = None
    folder: Path | None = None
    is_done: set[str] = field(default_factory=set)
    number: int = 0
    trial: Trial | None = None
    took: float = 0.0
    estimated: float = 0.0
    """Seconds that the trials of this session took, and were estimated to take."""

    def note(self, event: Event) -> None:
        """Keep what matters."""
        match event:
            case RunBegan():
                self.plan, self.folder, self.is_done = event.plan, event.folder, set(event.is_done)
            case TrialBegan():
                self.number, self.trial = event.number, event.trial
            case TrialEnded():
                self.is_done.add(event.trial.id)
                self.took += event.seconds
                self.estimated += event.trial.estimate.seconds

    @property
    def count(self) -> int:
        """How many trials there are."""
        return len(self.plan.trials) if self.plan else 0

    def time_left(self) -> str:
        """Guess from the plan, and from how the trials so far compare with it."""
        trials = self.plan.trials if self.plan else ()
        left = sum(trial.estimate.seconds for trial in trials if trial.id not in self.is_done)
        return in_words(left * (self.took / self.estimated if self.estimated else 1.0))

    def name(self) -> str:
        """Say which trial it is."""
        trial = self.trial
        if trial is None or self.plan is None:
            return "no trial"
        point = name_of(trial.point, [each.point for each in self.plan.trials])
        return f"{point or trial.settings.distribution}, repetition {trial.repetition}"


def in_words(seconds: float) -> str:
    """Say a time as exactly as a guess can be."""
    unit = 1 if seconds < 120 else 60 if seconds < 7200 else 3600
    return format_duration(round(seconds / unit) * unit)


def outcome_of(event: TrialEnded) -> str:
    """Say how a trial came out."""
    peers = len(event.trial.hosts.peers)
    if event.distribution_s is None:
        result = f"{event.stopped}, {event.completed} of {peers} peers complete"
    else:
        ratio = event.distribution_s / event.trial.bound.payload_seconds
        result = f"{event.distribution_s:.2f} s, {ratio:.3f} of the payload bound"
    return f"{result}; {event.verdict}" + (f": {'; '.join(event.reasons)}" if event.reasons else "")


class PlainLines:
    """A line on standard error when a trial begins and ends, and every half a minute in between."""

    def __init__(self) -> None:
        self._course = Course()
        self._next = _PLAIN_EVERY_SECONDS

    def __call__(self, event: Event) -> None:
        """Say it."""
        self._course.note(event)
        if text := self._text(event):
            print(f"testbed: {text}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Nothing to do."""

    def _text(self, event: Event) -> str:
        course = self._course
        match event:
            case RunBegan():
                return _beginning(event)
            case TrialBegan():
                return f"trial {event.number} of {course.count}: {course.name()}; about {course.time_left()} left"
            case Progress() if event.seconds >= self._next:
                self._next = _PLAIN_EVERY_SECONDS * (int(event.seconds) // _PLAIN_EVERY_SECONDS + 1)
                return f"  {event.seconds:.0f} s: {_peers(event)}; {_traffic(event)}"
            case TrialEnded():
                return f"  {outcome_of(event)}"
            case TrialFailed():
                return f"  no result: {event.why}"
            case _:
                return ""


def _beginning(event: RunBegan) -> str:
    total, done = len(event.plan.trials), len(event.is_done)
    verb = f"goes on with {event.folder}, where {done} of {total} trials are complete" if done else f"in {event.folder}"
    return verb if done else f"{total} {'trial' if total == 1 else 'trials'} {verb}"


def _peers(event: Progress) -> str:
    lost = f", {event.lost} lost" if event.lost else ""
    return f"{event.completed} of {len(event.shares)} peers complete, {event.joined} joined{lost}"


def _traffic(event: Progress) -> str:
    late = "" if event.lateness_ms is None else f", programs {event.lateness_ms:.1f} ms late"
    return f"{event.rate / 1e6:.1f} Mbit/s in all; {event.idle_cpu:.0%} idle{late}"


class LiveView:
    """A few lines at the bottom of the terminal that change each second; above them a line for each trial."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._course = Course()
        self._live: Live | None = None

    def __call__(self, event: Event) -> None:
        """Show it."""
        self._course.note(event)
        match event:
            case RunBegan():
                self._console.print(_beginning(event), soft_wrap=True)
            case Progress():
                self._update(event)
            case Collecting():
                self._erase()
            case TrialEnded():
                style = "yellow" if event.reasons else None
                self._console.print(f"{self._title()}: {outcome_of(event)}", style=style, soft_wrap=True)
            case TrialFailed():
                self._console.print(f"{self._title()}: no result: {event.why}", style="red", soft_wrap=True)

    def close(self) -> None:
        """Leave the terminal as it was; the process that showed the live lines may have been killed."""
        self._erase()
        self._console.show_cursor(True)

    def _title(self) -> str:
        return f"{self._course.number}/{self._course.count} {self._course.name()}"

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
        course, limit = self._course, 0.0 if self._course.trial is None else self._course.trial.settings.time_limit
        trust = "; ".join(event.doubts) or "nothing against it so far"
        stopping = [Text("stopping after this trial; Ctrl-C again stops now and drops it", style="yellow")]
        return Group(
            Text(f"{self._title()}: {event.seconds:.0f} s, at most {limit:g} s", style="bold"),
            _bars(event.shares),
            Text(f"{_peers(event)}; {_traffic(event)}"),
            Text(f"fidelity: {trust}", style="yellow" if event.doubts else ""),
            Text(f"{len(course.is_done)} of {course.count} trials complete, about {course.time_left()} left"),
            *(stopping if event.is_last else []),
        )


def _bars(shares: tuple[float, ...]) -> RenderableType:
    """Return a bar for all peers together, and one for each of the slowest where they are few."""
    table = Table.grid(padding=(0, 1))
    rows: Mapping[str, float] = {"all": sum(shares) / len(shares)}
    if len(shares) <= _PEERS_SHOWN:
        rows = {**rows, **{f"p{number}": share for number, share in enumerate(shares, start=1)}}
    for name, share in rows.items():
        table.add_row(Text(name), ProgressBar(total=1.0, completed=share, width=_BAR_WIDTH), Text(f"{share:.0%}"))
    return table
