"""What is on the page of a run, as data: an overview, and parts that the browser opens when they are wanted."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from typing import Any, Final, TypeAlias

from contract.wording import counted
from testbed.errors import RunError
from testbed.experiment import Trial
from testbed.experiment.language.cells import as_cell
from testbed.experiment.plan.naming import short_names_of
from testbed.results.figures.numbers import read_numbers
from testbed.results.made import Report
from testbed.results.page.answer import Answer
from testbed.results.page.links import COLUMNS as OF_LINKS
from testbed.results.page.links import in_short, link_table
from testbed.results.page.packing import Parts
from testbed.results.page.sheets import sheet
from testbed.results.page.words import Words, listed
from testbed.results.problems import problems
from testbed.results.replay.choosing import Choice, choose
from testbed.results.replay.reading import read_replay, size_of_traces
from testbed.runfolder.damage import DamageError
from testbed.runfolder.folder import RunFolder
from testbed.runfolder.handles import read_file
from testbed.runfolder.record import TrialRecord, read_record
from testbed.runs import provenance
from testbed.tasks.tables import tables_of

Json: TypeAlias = dict[str, Any]

OVERVIEW: Final = "overview"
REPLAY: Final = "replay-"
"""What the name of a replay's part begins with; the trial's id follows."""
VERSION: Final = 1
_IN_FIGURES: Final = 2
"""How many names at the end of the path of a figure belong to the run folder, so that none of them may be a link."""
_MOST_LISTED: Final = 200
"""The most trials, problems and sessions that are listed outside of tables."""
_MOST_REPLAY_BYTES: Final = 2_500_000
"""The most that all replays take in the page. Each may have an equal share of what those before it have left."""
_MOST_TRACE_BYTES: Final = 30_000_000
"""The most compressed traces that are read for replays: a minute or so."""
_EARLY: Final = ("summary", "trials", "groups")
"""The tables that are kept before figures and replays; all others come after them."""


@dataclass
class Contents:
    """Collects the parts of a page."""

    made: Report
    parts: Parts = field(default_factory=Parts)
    has_all_replays: bool = False
    """Whether every trial has a replay, which is read when it is wanted, and so is no part."""
    is_running: bool = False
    """Whether the run goes on."""
    _tables: list[Json] = field(default_factory=list, init=False)
    _traces_read: int = field(default=0, init=False)

    def collect(self) -> Parts:
        """Return all parts; the overview names the others, and says what was left out."""
        names = list(self.made.tables.by_name)
        self._add_tables(name for name in _EARLY if name in names)
        figures, replays = list(self._figures()), self._offered() if self.has_all_replays else self._replays()
        links = link_table(self._records())
        self._add_sheet("links", links, OF_LINKS, file="")
        self._add_tables(name for name in names if name not in _EARLY)
        overview = self._overview() | {"figures": figures, "replays": replays, "links": in_short(links)}
        self.parts.require(OVERVIEW, overview | {"tables": self._tables})
        return self.parts

    @cached_property
    def _words(self) -> Words:
        return Words(self.made.run.plan, self.made.tables.columns)

    @cached_property
    def _verdicts(self) -> dict[str, str]:
        trials = self.made.tables.trials
        return dict(zip(trials["trial"], trials["verdict"], strict=True))

    def _overview(self) -> Json:
        made, plan = self.made, self.made.run.plan
        answer = Answer(self._words, made.tables)
        return {
            "version": VERSION,
            "run": made.run.path.resolve().name,
            "title": plan.title,
            "question": plan.question,
            "trials": self._counts(),
            "answer": answer.sentence(),
            "left_out": made.pairs_left_out,
            "comparisons": answer.comparisons(),
            "means": answer.means(),
            "expectations": list(self._expectations()),
            "problems": list(problems(made, is_running=self.is_running))[:_MOST_LISTED],
            "doubts": list(self._doubts()),
            "provenance": self._provenance(),
        }

    def _counts(self) -> Json:
        found, trials = list(self._verdicts.values()), self.made.tables.trials
        return {
            "planned": len(self.made.run.plan.trials),
            "missing": len(self.made.run.missing()),
            "again": int((trials["attempts"] > 1).sum()),
            "with_suspect": self.made.with_suspect,
            **{verdict: found.count(verdict) for verdict in ("valid", "suspect", "failed")},
        }

    def _expectations(self) -> Iterator[Json]:
        for outcome in self.made.outcomes:
            state = ("held" if outcome.holds else "failed") if self.made.is_evaluated(outcome) else "open"
            yield {"text": outcome.text, "state": state, "found": outcome.found}

    def _doubts(self) -> Iterator[Json]:
        """Yield the trials that are not valid, and why."""
        by_id = {trial.id: trial for trial in self.made.run.plan.trials}
        table = self.made.tables.trials
        for row in table[table["verdict"] != "valid"].head(_MOST_LISTED).to_dict("records"):
            yield _described(self._words, by_id[row["trial"]]) | {"verdict": row["verdict"], "reasons": row["reasons"]}

    def _provenance(self) -> Json:
        return {"sessions": sessions_of(self.made.run), "report": report_identity()}

    def _add_tables(self, names: Iterator[str]) -> None:
        plan, columns = self.made.run.plan, self.made.tables.columns
        for name in names:
            table = self.made.tables.by_name[name]
            self._add_sheet(name, table, columns.columns_of(name, plan.keys), file=f"{name}.csv")

    def _add_sheet(self, name: str, table: Any, columns: Any, *, file: str) -> None:
        made = sheet(name, table, columns, file)
        is_in = self.parts.add(f"table-{name}", made.values)
        self._tables.append(made.about | {"part": f"table-{name}" if is_in else None})

    def _figures(self) -> Iterator[Json]:
        """Yield what the page says of each figure that was drawn; its drawing and its numbers are parts."""
        for name, figure in self.made.run.plan.figures.items():
            drawing = next((file for file in self.made.files if file.name == f"{name}.svg"), None)
            if drawing is None:
                continue
            table = read_numbers(BytesIO(read_file(drawing.with_suffix(".csv"), _IN_FIGURES)))
            numbers = sheet(name, table, {}, f"figures/{name}.csv")
            has_numbers = self.parts.add(f"numbers-{name}", numbers.values)
            is_drawn = self.parts.add(f"figure-{name}", read_file(drawing, _IN_FIGURES).decode())
            yield {
                "name": name,
                "kind": figure.kind,
                "size": figure.size,
                "part": f"figure-{name}" if is_drawn else None,
                "numbers": numbers.about | {"part": f"numbers-{name}" if has_numbers else None},
            }

    def _replays(self) -> Json:
        verdicts = self._verdicts
        plan = self.made.run.plan
        choice = choose(plan.trials if tables_of(plan).has_replay else (), verdicts)
        names = short_names_of(plan)
        shown: list[Json] = []
        before = self.parts.bytes
        for number, trial in enumerate(choice.trials):
            left = _MOST_REPLAY_BYTES - (self.parts.bytes - before)
            if self._replay(trial, most=left // (len(choice.trials) - number)):
                shown.append(_about_replay(self._words, trial, names[trial.id], verdicts[trial.id]))
        return {"shown": shown, "left_out": _left_out(choice, len(shown))}

    def _offered(self) -> Json:
        return offered_replays(self._words, self._verdicts)

    def _replay(self, trial: Trial, *, most: int) -> bool:
        """Add the replay of a trial; returns whether it was added: it can be too large, or unreadable."""
        folder = self.made.run.folder_of(trial)
        size = size_of_traces(folder)
        if self._traces_read + size > _MOST_TRACE_BYTES:
            return False
        self._traces_read += size
        try:
            replay = read_replay(folder, trial)
        except (DamageError, OSError):
            return False
        return not replay.is_empty and self.parts.add(_part_of(trial), replay.as_json(), most=most)

    def _records(self) -> Iterator[TrialRecord]:
        """Yield the records of the trials that are in the tables."""
        used = self._verdicts
        for trial in self.made.run.plan.trials:
            if trial.id in used:
                yield read_record(self.made.run.folder_of(trial), trial)


def report_identity() -> Json:
    """Return what makes a page. Neither when nor by which command: the same run gives the same page."""
    return {key: value for key, value in provenance.of_report().items() if key not in {"made", "command"}}


def sessions_of(run: RunFolder) -> list[Json]:
    """Return the sessions that measured; none if their file is damaged, which costs no other result."""
    try:
        found = run.sessions[-_MOST_LISTED:]
    except RunError:
        return []
    # JSON has no NaN, but Python reads it.
    plain = json.loads(json.dumps(found), parse_constant=str)
    return [session for session in plain if isinstance(session, dict)]


def offered_replays(words: Words, verdicts: Mapping[str, str]) -> Json:
    """Return what a page says of replays if each trial that has a verdict has one."""
    names = short_names_of(words.plan)
    has_replay = tables_of(words.plan).has_replay
    ended = [trial for trial in words.plan.trials if has_replay and trial.id in verdicts]
    shown = [_about_replay(words, trial, names[trial.id], verdicts[trial.id]) for trial in ended]
    return {"shown": shown, "left_out": ""}


def _about_replay(words: Words, trial: Trial, name: str, verdict: str) -> Json:
    named = {"name": name, "verdict": verdict, "part": _part_of(trial)}
    return _described(words, trial) | named


def _part_of(trial: Trial) -> str:
    return f"{REPLAY}{trial.id}"


def _described(words: Words, trial: Trial) -> Json:
    point = {key: as_cell(value) for key, value in trial.point.items()}
    return {"trial": trial.id, "point": words.point(point) if point else "", "repetition": trial.repetition}


def _left_out(choice: Choice, shown: int) -> str:
    """Say what has no replay; empty if each point has one."""
    reasons = []
    if choice.points_left_out:
        reasons.append(f"{counted(choice.points_left_out, 'more point')} of the sweep, as there are many")
    if lost := len(choice.trials) - shown:
        reasons.append(f"{counted(lost, 'trial')} whose replay would be too large, or whose traces say too little")
    return f"Without a replay: {listed(reasons)}." if reasons else ""


def names_of(parts: Collection[str]) -> Sequence[str]:
    """Return the names of parts in the order in which they are written: the overview first."""
    return sorted(parts, key=lambda name: (name != OVERVIEW, name))
