"""A trial with every value filled in: plain records that survive JSON unchanged."""

from typing import Any

from pydantic import AliasChoices, Field

from testbed.tasks.planning import Settings, Theory, TrialHosts, task_of
from testbed.tasks.task import LeastTime, Needs
from testbed.values.records import Estimate, Record


class Trial(Record):
    """One run of one point with one seed."""

    id: str
    """The same for the same values, in any plan; different for others."""
    point: dict[str, Any]
    """The swept values by key, as they are written."""
    repetition: int
    seed: int
    pair: str | None
    """The same for trials that differ only in the paired key."""
    settings: Settings
    hosts: TrialHosts = Field(validation_alias=AliasChoices("hosts", "cast"))
    """Plans of version 0.1 call it `cast`."""
    theory: Theory
    estimate: Estimate

    @property
    def least_time(self) -> LeastTime | None:
        """The time that this trial cannot beat, where theory knows one."""
        return task_of(self.settings).least_time(self.settings, self.theory)

    @property
    def needs(self) -> Needs:
        """What it needs of the machine."""
        return task_of(self.settings).needs(self.settings, self.hosts, self.estimate)

    @property
    def participants(self) -> str:
        """What its participants are called, in the plural."""
        return task_of(self.settings).participants

    @property
    def steps(self) -> str:
        """What the steps of their parts are called, in the plural, if these are counted."""
        return task_of(self.settings).steps
