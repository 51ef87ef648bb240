"""What is wrong with a run folder, and where."""

from dataclasses import dataclass
from pathlib import Path

from testbed.errors import ExplainedError


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that cannot be used: the file, the line (0 where the whole file is meant), what is wrong with it."""

    file: Path
    line: int
    what: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.what}"


class DamageError(ExplainedError):
    """A file of a run folder that cannot be used."""

    def __init__(self, file: Path, what: str, line: int = 0) -> None:
        super().__init__(file, what, line)
        self.damage = Damage(file, line, what)

    def __str__(self) -> str:
        return str(self.damage)
