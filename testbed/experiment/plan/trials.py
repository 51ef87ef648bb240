"""A trial with every value filled in: plain records that survive JSON unchanged."""

from typing import Any

from pydantic import AliasChoices, Field

from testbed.tasks.distribute.plan.records import (
    Distribution,
    PlannedBound,
    PlannedDeparture,
    PlannedFluid,
    PlannedPeer,
    PlannedServer,
    PlannedStrategy,
    PlannedTracker,
)
from testbed.tasks.planning import Settings, Theory, TrialHosts
from testbed.values.records import Estimate, PlannedHost, PlannedTopology, Record

__all__ = [
    "Distribution",
    "Estimate",
    "PlannedBound",
    "PlannedDeparture",
    "PlannedFluid",
    "PlannedHost",
    "PlannedPeer",
    "PlannedServer",
    "PlannedStrategy",
    "PlannedTopology",
    "PlannedTracker",
    "Record",
    "Settings",
    "Theory",
    "Trial",
    "TrialHosts",
]


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
    def bound(self) -> PlannedBound:
        """The bound on the time of this trial."""
        return self.settings.bound_in(self.theory)
