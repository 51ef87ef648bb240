"""What a reader is asked, and what it answers. To add a question, add a line to the table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from testbed.errors import ExplainedError
from testbed.serving.reader.assets import assets
from testbed.serving.reader.catalogue import Catalogue
from testbed.serving.reader.listing import Listing
from testbed.serving.reader.pages import Pages, Tell, replay_of
from testbed.serving.reader.states import Plans, state_of, troubled

Json: TypeAlias = dict[str, Any]


@dataclass
class Answerer:
    """Answers questions about runs, and remembers what it has read."""

    catalogue: Catalogue
    _listing: Listing = field(default_factory=Listing)
    _plans: Plans = field(default_factory=Plans)
    _pages: Pages = field(default_factory=Pages)
    _states: dict[str, Json] = field(default_factory=dict)

    def answer(self, question: Json, tell: Tell) -> Any:
        """Answer a question; an ExplainedError says why that cannot be."""
        return _ANSWERS[question["ask"]](self, question, tell)

    def assets(self, _question: Json, _tell: Tell) -> Mapping[str, str]:
        """Return what does not depend on runs."""
        return assets()

    def runs(self, _question: Json, _tell: Tell) -> list[Json]:
        """Return a row for each run."""
        return self._listing.rows(self.catalogue.all())

    def state(self, question: Json, _tell: Tell) -> Json:
        """Return how far a run is. One that was seen before, and cannot be read any more, says so."""
        name = question["run"]
        try:
            state = state_of(self._plans.run(self.catalogue.path_of(name)))
        except (ExplainedError, OSError) as error:
            if name not in self._states:
                raise
            return troubled(self._states[name], error)
        self._states[name] = state
        return state

    def page(self, question: Json, tell: Tell) -> dict[str, str]:
        """Return the parts of a run's page, packed."""
        return self._pages.parts(self._plans.run(self.catalogue.path_of(question["run"])), tell)

    def replay(self, question: Json, _tell: Tell) -> str:
        """Return a replay, packed."""
        return replay_of(self._plans.run(self.catalogue.path_of(question["run"])), question["part"])


_ANSWERS: Final[Mapping[str, Callable[[Answerer, Json, Tell], Any]]] = {
    "assets": Answerer.assets,
    "runs": Answerer.runs,
    "state": Answerer.state,
    "page": Answerer.page,
    "replay": Answerer.replay,
}
