"""What is wrong with an experiment file, and where."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from testbed.errors import ExplainedError


@dataclass(frozen=True)
class Place:
    """A place in a file; line and column count from 1, and are 0 where the file as a whole is meant."""

    file: Path
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else str(self.file)


@dataclass(frozen=True)
class Problem:
    """One thing to mend: where it is, which key it is about (empty for the file), what was found and is possible."""

    place: Place
    key: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.place), self.key, self.message) if part)


class ExperimentError(ExplainedError, ValueError):
    """An experiment file that cannot be used, with every problem in it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
