"""The result of one check, the same for every kind."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

State = Literal["ok", "missing", "small"]


@dataclass(frozen=True)
class Check:
    """One line of `testbed doctor`: what was checked, what was found, and how to fix it."""

    section: str
    name: str
    state: State
    found: str
    mend: str = ""
    required: bool = True

    @property
    def failed(self) -> bool:
        """Whether the testbed cannot work because of this."""
        return self.required and self.state == "missing"

    def row(self) -> dict[str, object]:
        """Return the check as a JSON object."""
        return asdict(self)


def exit_status(checks: Sequence[Check]) -> int:
    """0 unless something required is missing."""
    return int(any(check.failed for check in checks))
