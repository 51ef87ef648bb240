"""What readers are asked. Each kind of question has its own process, so short answers never wait for long ones."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, Protocol, TypeAlias

from testbed.serving.reader.catalogue import Catalogue

Json: TypeAlias = dict[str, Any]
Tell: TypeAlias = Callable[[int, int], object]
"""Is told how many trials have been read, and how many there are."""

KINDS: Final = ("glances", "pages", "replays")
"""The modules that answer. Each is imported by its own process alone: a glance needs no pandas."""


class Answerer(Protocol):
    """Answers questions about runs."""

    def answer(self, question: Json, tell: Tell) -> Any:
        """Answer a question; an ExplainedError says why that cannot be."""


def answerer_of(kind: str, catalogue: Catalogue) -> Answerer:
    """Return what answers questions of a kind."""
    made: Answerer = import_module(f"{__package__}.{kind}").answerer(catalogue)
    return made
