"""What a task brings to reading and planning an experiment.

A task is what the hosts of an experiment do. Reading and planning ask it for its keys, checks, hosts, theory and
estimate through a `Task`, and never which task it is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from testbed.tasks.columns import TableColumns
from testbed.values.draws import Draws
from testbed.values.findings import Finding, KeyPath
from testbed.values.hosts import Group
from testbed.values.parts import Part
from testbed.values.records import CommonSettings, Estimate

Keys = TypeVar("Keys", bound=Part)


@dataclass(frozen=True)
class ColumnWords:
    """The words that a column of the results can hold: in this experiment, and in any."""

    here: frozenset[str]
    anywhere: frozenset[str] = frozenset()


@dataclass(frozen=True)
class LeastTime:
    """A time that no faithful trial can beat, and its name for messages."""

    seconds: float
    name: str


@dataclass(frozen=True)
class Needs:
    """What the programs of a trial need at least, in bytes. Less is certainly too little."""

    memory: int
    threads: int
    traces: int
    """What their traces take until the trial ends; they are kept in memory."""
    copies: int
    """What copies of the file take until the trial ends; they are kept in memory too."""
    shared_file: int
    """What trials have in common on the disk, if it has the same size; until the run ends."""
    kept: int
    """What the trial leaves on the disk."""
    capturing: float = 0.0
    """The share of a processor that captures are likely to take while all links are busy."""


@dataclass(frozen=True)
class Task(Generic[Keys]):
    """A task's schema and checks, and how its trials are planned. A function of `Keys` gets the experiment itself."""

    keys: type[Keys]
    """The keys that the task adds to those of every experiment."""
    outline: str
    """The keys that an experiment cannot do without, for advice."""
    group_keys: tuple[str, ...]
    """The top-level keys that describe hosts; without the last of them, a file describes a network alone."""
    missing: Callable[[Mapping[str, Any]], Iterator[Finding]]
    """Find keys that are missing in a document, which may have other mistakes too."""
    check: Callable[[Keys], Iterator[Finding]]
    """Find values that do not fit each other. Rates and arrivals are checked without the task."""
    groups: Callable[[Keys], Iterable[Group]]
    """List the hosts as they are described."""
    capturable: Callable[[Keys], Sequence[str]]
    """List the words for hosts that `capture:` can have, besides their names."""
    host_names: Callable[[Keys], Sequence[str]]
    """List the names of all hosts of a trial."""
    modules: Callable[[Keys], Iterator[tuple[KeyPath, str]]]
    """Find references such as `module:Class`, whose modules may be beside the file."""
    columns: TableColumns
    """The tables of its results."""
    column_words: Callable[[Sequence[Keys]], Mapping[str, ColumnWords]]
    """Say what the task's columns of words can hold, over all points of a sweep."""
    refused_theory: Callable[[str, Sequence[Keys]], str]
    """Say why a figure cannot draw this model beside these points; empty if it can."""
    hosts: Callable[[Keys, Draws], Any]
    """Draw the hosts of a trial."""
    settings: Callable[[Keys, CommonSettings], Any]
    """Add the task's settings to the common ones."""
    theory: Callable[[Any, Any], Any]
    """Calculate what a trial is compared with, from its settings and hosts."""
    least_time: Callable[[Any, Any], LeastTime | None]
    """Return the least time of a trial, from its settings and theory; None where theory does not say."""
    estimate: Callable[[Any, Any, Any], Estimate]
    """Estimate what a trial takes, from its settings, hosts and theory."""
    needs: Callable[[Any, Any, Estimate], Needs]
    """Return what a trial needs of the machine, from its settings, hosts and estimate."""
    overview: Callable[[Any, Any, Any], Mapping[str, str]]
    """Describe a trial in a few cells by their headings, the most important ones first, from its settings, hosts and
    theory."""
    participants: str
    """What those are called, in the plural, whose part must be complete."""
    steps: str = ""
    """What the steps of their parts are called, in the plural, if these are counted."""

    def has_trials(self, keys: Keys) -> bool:
        """Whether there are hosts to run trials with; otherwise the file describes a network alone."""
        return any(group.path[0] == self.group_keys[-1] for group in self.groups(keys))
