"""Replays of trials that have ended, each read when somebody wants to see it."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from testbed.errors import ExplainedError
from testbed.experiment import Trial
from testbed.results.page.contents import REPLAY
from testbed.results.page.packing import packed
from testbed.results.replay.reading import read_replay
from testbed.runfolder.folder import RunFolder
from testbed.serving.reader.answering import Tell
from testbed.serving.reader.catalogue import Catalogue, UnknownRunError
from testbed.serving.reader.states import Plans

Json: TypeAlias = dict[str, Any]


@dataclass
class Replays:
    """Reads replays."""

    catalogue: Catalogue
    _plans: Plans = field(default_factory=Plans)

    def answer(self, question: Json, _tell: Tell) -> str:
        """Return a replay, packed, by the name of its part."""
        run = self._plans.run(self.catalogue.path_of(question["run"]))
        for trial in run.complete():
            if question["part"] == f"{REPLAY}{trial.id}":
                return _replay(run, trial)
        raise UnknownRunError(f"{run.path.name} has no such replay: a trial has one when it has ended")


answerer = Replays


def _replay(run: RunFolder, trial: Trial) -> str:
    replay = read_replay(run.folder_of(trial), trial)
    if replay.is_empty:
        raise ExplainedError("the traces of this trial do not say who sent what to whom")
    return packed(replay.as_json())
