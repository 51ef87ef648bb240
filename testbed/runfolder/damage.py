"""Damage: what makes a part of a run folder unusable, and where."""

from dataclasses import dataclass
from pathlib import Path

from testbed.errors import ExplainedError


@dataclass(frozen=True, slots=True)
class Damage:
    """An unusable file: the line (0 for the whole file), and what is wrong with it."""

    file: Path
    line: int
    what: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.what}"


class DamageError(ExplainedError):
    """A file of a run folder is damaged."""

    def __init__(self, file: Path, what: str, line: int = 0) -> None:
        super().__init__(file, what, line)
        self.damage = Damage(file, line, what)

    def __str__(self) -> str:
        return str(self.damage)
