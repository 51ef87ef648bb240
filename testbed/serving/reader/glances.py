"""What is answered at once: which runs there are, and how far one is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from testbed.errors import ExplainedError
from testbed.serving.reader.answering import Tell
from testbed.serving.reader.catalogue import Catalogue
from testbed.serving.reader.listing import Listing
from testbed.serving.reader.states import Plans, state_of, troubled

Json: TypeAlias = dict[str, Any]


@dataclass
class Glances:
    """Looks at runs, and remembers what it has seen."""

    catalogue: Catalogue
    _listing: Listing = field(default_factory=Listing)
    _plans: Plans = field(default_factory=Plans)
    _states: dict[str, Json] = field(default_factory=dict)

    def answer(self, question: Json, _tell: Tell) -> Any:
        """Answer a question."""
        return _ANSWERS[question["ask"]](self, question)

    def runs(self, _question: Json) -> list[Json]:
        """Return a row for each run."""
        return self._listing.rows(self.catalogue.all())

    def state(self, question: Json) -> Json:
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


answerer = Glances
_ANSWERS: Final[Mapping[str, Callable[[Glances, Json], Any]]] = {"runs": Glances.runs, "state": Glances.state}
