"""The result of one check, the same for every kind."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

State = Literal["ok", "missing", "small"]


@dataclass(frozen=True)
class Check:
    """One line of `testbed doctor`: what was looked at, what was found, and how to mend it."""

    section: str
    name: str
    state: State
    found: str
    mend: str = ""
    required: bool = True

    @property
    def failed(self) -> bool:
        """Whether the testbed cannot do its work for this."""
        return self.required and self.state == "missing"

    def row(self) -> dict[str, object]:
        """The check for a program that reads it."""
        return asdict(self)


def exit_status(checks: Sequence[Check]) -> int:
    """0 unless something required is missing."""
    return int(any(check.failed for check in checks))
