"""The parts of a run's page, while the run goes on: of each trial, traces are read once."""

import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from testbed.experiment import Trial
from testbed.results.page.contents import OVERVIEW, REPLAY, Contents, offered_replays, sessions_of
from testbed.results.page.packing import Parts, packed, unpacked
from testbed.results.page.words import Words
from testbed.results.report import look, read_rows
from testbed.results.tables import TrialRows
from testbed.runfolder.damage import DamageError
from testbed.runfolder.folder import RunFolder, is_locked
from testbed.runfolder.handles import opened
from testbed.runfolder.record import RECORD, read_record
from testbed.serving.reader.answering import Tell
from testbed.serving.reader.catalogue import Catalogue
from testbed.serving.reader.states import Plans, Stamp, stamp_of
from testbed.serving.reader.written import written_parts
from testbed.tasks.tables import tables_of

Json: TypeAlias = dict[str, Any]
_MOST_BYTES: Final = 64_000_000
"""The most that the parts of a page take: they are sent one by one, so they may be larger than those within a file."""
_MOST_RUNS: Final = 4
"""The most runs of which rows are remembered."""


@dataclass
class Rows:
    """The rows of a run's trials, each read when it is first asked for, or has been measured again."""

    tell: Tell
    _known: dict[tuple[str, bool], tuple[Stamp, int, TrialRows]] = field(default_factory=dict)

    def read(self, run: RunFolder, trial: Trial, from_captures: bool) -> TrialRows:
        """Return the rows of a trial."""
        key, stamp, attempts = (trial.id, from_captures), _stamp_of(run, trial), run.attempts(trial)
        known = self._known.get(key)
        if known is None or known[:2] != (stamp, attempts):
            known = self._known[key] = stamp, attempts, read_rows(run, trial, from_captures)
            self.tell(len(self._known), len(run.complete()))
        return known[2]


@dataclass
class Pages:
    """Makes the pages of runs."""

    catalogue: Catalogue
    _plans: Plans = field(default_factory=Plans)
    _rows: dict[Path, Rows] = field(default_factory=dict)

    def answer(self, question: Json, tell: Tell) -> dict[str, str]:
        """Return the parts of a run's page, packed: as they were written, if nothing has changed, or else anew."""
        run = self._plans.run(self.catalogue.path_of(question["run"]))
        written = written_parts(run.path)
        if written is not None:
            with suppress(DamageError):
                return _brought_up_to_date(run, written)
        return self._made(run, tell)

    def _made(self, run: RunFolder, tell: Tell) -> dict[str, str]:
        is_running = is_locked(run.path)
        with tempfile.TemporaryDirectory(prefix="testbed-serve-") as scratch, opened(Path(scratch)) as folder:
            made = look(run, folder, self._rows_of(run.path, tell).read)
            return Contents(made, Parts(_MOST_BYTES), has_all_replays=True, is_running=is_running).collect().by_name

    def _rows_of(self, path: Path, tell: Tell) -> Rows:
        """Return the rows of a run; those of the run that was looked at longest ago are forgotten."""
        rows = self._rows.pop(path, None) or Rows(tell)
        rows.tell = tell
        self._rows[path] = rows
        for old in list(self._rows)[:-_MOST_RUNS]:
            del self._rows[old]
        return rows


def _brought_up_to_date(run: RunFolder, parts: dict[str, str]) -> dict[str, str]:
    """Offer all replays instead of some, and name the end of the last session, which comes after the report."""
    overview = unpacked(parts[OVERVIEW])
    words = Words(run.plan, tables_of(run.plan).columns)
    verdicts = {trial.id: read_record(run.folder_of(trial), trial).verdict for trial in run.complete()}
    overview["replays"] = offered_replays(words, verdicts)
    overview["provenance"]["sessions"] = sessions_of(run)
    kept = {name: text for name, text in parts.items() if not name.startswith(REPLAY)}
    return {**kept, OVERVIEW: packed(overview)}


answerer = Pages


def _stamp_of(run: RunFolder, trial: Trial) -> Stamp:
    return stamp_of(run.folder_of(trial) / RECORD)
