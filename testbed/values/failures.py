"""Hosts that fail as planned: the keys that say so, and the draw of who is killed when.

Besides groups, each task has words for hosts that it needs one of, such as a tracker or a directory.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Protocol, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, Tag

from testbed.values.draws import Draws, shuffled
from testbed.values.findings import Finding, KeyPath, did_you_mean
from testbed.values.names import GroupName
from testbed.values.parts import Part
from testbed.values.quantities import NEEDED, Duration, Percentage, message

WORD: Final = "<word>"


def _named_groups(value: object) -> object:
    if isinstance(value, Mapping) and not value:
        raise message("names no group: write one with its share, such as `{homes: 30 %}`")
    return value


ShareOfAll: TypeAlias = Annotated[Percentage, Tag("<share>")]
ShareOfGroups: TypeAlias = Annotated[dict[GroupName, Percentage], BeforeValidator(_named_groups), Tag("<groups>")]


def forms_of_kill(possible: str, *words: str) -> Any:
    """Choose whether a value is one of the words, a share of all, or shares of groups; else say what is possible.

    A word that is no percentage is none of the forms; a number without a unit is told that it lacks one.
    """

    def form(value: object) -> str | None:
        if value in words:
            return WORD
        if isinstance(value, Mapping):
            return "<groups>"
        is_share = isinstance(value, int | float) or (isinstance(value, str) and value.strip()[:1].isdigit())
        return "<share>" if is_share else None

    return Discriminator(form, custom_error_type=NEEDED, custom_error_message=possible)


class FailureTime(Part):
    """A moment at which hosts fail together; which ones is the task's own key."""

    at: Duration = Field(description="when, after t = 0")


class Failure(Protocol):
    """Hosts that fail together."""

    @property
    def at(self) -> float:
        """When, in seconds after t = 0."""

    @property
    def kill(self) -> str | float | Mapping[str, float]:
        """A word for some hosts, the percentage of all members of groups, or of some groups."""


def unknown_groups(path: KeyPath, failure: Failure, groups: Sequence[str], advice: str) -> Iterator[Finding]:
    """Yield the groups that a failure names and that there are not."""
    if isinstance(failure.kill, Mapping):
        for name in failure.kill:
            if name not in groups:
                problem = f"unknown group {name!r}{did_you_mean(name, groups)}: {advice}"
                yield Finding((*path, "kill", name), problem)


def draw_kills(
    failures: Sequence[Failure],
    named: Mapping[str, Sequence[str]],
    groups: Mapping[str, Sequence[str]],
    draws: Draws,
) -> dict[str, float]:
    """Draw when each host is killed, by its name; `named` has the hosts that each word stands for.

    Nobody is killed twice: later failures choose among those left.
    """
    killed: dict[str, float] = {}
    for failure in sorted(failures, key=lambda failure: failure.at):
        for members, share in _chosen_from(failure, named, groups):
            stream = draws.stream("failures", failure.at, *members[:1])
            living = [name for name in members if name not in killed]
            order = shuffled(range(len(living)), stream)
            killed |= {living[k]: failure.at for k in sorted(order[: round(share * len(living))])}
    return killed


def _chosen_from(
    failure: Failure, named: Mapping[str, Sequence[str]], groups: Mapping[str, Sequence[str]]
) -> Iterator[tuple[Sequence[str], float]]:
    """Yield the hosts among which some are chosen, and the share of them."""
    match failure.kill:
        case str(word):
            yield named[word], 1.0
        case Mapping() as shares:
            yield from ((groups[name], share / 100) for name, share in shares.items())
        case share:
            yield [name for members in groups.values() for name in members], share / 100
