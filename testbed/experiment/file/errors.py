"""Problems of an experiment file, and their places."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from testbed.errors import ExplainedError


@dataclass(frozen=True)
class Place:
    """A place in a file; line and column count from 1, and are 0 for the file as a whole."""

    file: Path
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else str(self.file)


@dataclass(frozen=True)
class Problem:
    """One thing to correct: its place, its key (empty for the file as a whole), what was found and what is possible."""

    place: Place
    key: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.place), self.key, self.message) if part)


class ExperimentError(ExplainedError, ValueError):
    """An experiment file cannot be used; `problems` lists everything to correct."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
