"""A trial in virtual time, which takes seconds and needs no network: what there is to tell of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Running:
    """How far the trial is."""

    now: float
    """Virtual seconds since t = 0."""
    progress: Mapping[str, float]
    """The share of its part that each participant has done, by its name."""


@dataclass(frozen=True)
class Participant:
    """What became of a participant: times in seconds since t = 0, bytes of payload."""

    name: str
    group: str
    joined: float
    completed: float | None
    share: float
    """Of its part, 0 to 1."""
    received: int
    sent: int
    left: str | None
    """Why it left before the end of the trial, if it did."""


@dataclass(frozen=True)
class Ended:
    """The trial ended like a measured one."""

    now: float
    """When, in virtual seconds."""
    stopped: str
    participants: Sequence[Participant]

    @property
    def completion_s(self) -> float | None:
        """When the last participant completed; None if one did not."""
        times = [each.completed for each in self.participants if each.completed is not None]
        return max(times) if len(times) == len(self.participants) else None


@dataclass(frozen=True)
class CodeLine:
    """A line of a user's file."""

    place: str
    """File, number and function."""
    text: str
    """What is written there, if it is known."""


@dataclass(frozen=True)
class Failed:
    """A user's code failed, and the trial with it."""

    who: str
    """The participant or server whose code it was; empty if that is not known."""
    group: str
    now: float
    problem: str
    lines: Sequence[CodeLine]
    """Of the user's files, the outermost first."""


Happening: TypeAlias = Running | Ended | Failed
Print: TypeAlias = Callable[[bytes], None]
"""Takes what users' code prints."""
