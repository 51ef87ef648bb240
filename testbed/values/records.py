"""The values of any trial, with everything filled in: plain records that survive JSON unchanged."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from testbed.values.captures import OptionalCapture
from testbed.values.parts import Parameter


class Record(BaseModel):
    """A value of a plan."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GrownRecord(Record):
    """A record that has more keys than older plans have."""

    added_later: ClassVar[Mapping[str, object]]
    """Keys that older plans lack, with their defaults."""

    @model_serializer(mode="wrap")
    def _as_written_before(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out defaults that older plans lack: the ids of trials are digests of what defines them."""
        values: dict[str, Any] = dump(self)
        return {key: value for key, value in values.items() if (key, value) not in self.added_later.items()}


class PlannedHost(Record):
    """A host and its access link. Rates in bit/s, None for no limit; times in seconds; loss is a probability."""

    name: str
    up: int | None = None
    down: int | None = None
    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0


class PlannedTopology(Record):
    """A topology and what was written for it; rates, delays and names of hosts are the hosts' own."""

    reference: str
    parameters: dict[str, Parameter] = Field(default_factory=dict)


class CommonSettings(Record):
    """What holds for a trial as a whole, whatever its task. Times in seconds."""

    topology: PlannedTopology
    congestion_control: Literal["cubic", "reno", "bbr"]
    time_limit: float
    time_scale: float
    capture: OptionalCapture
    trace_level: Literal["summary", "pieces", "full"] = Field(validation_alias=AliasChoices("trace_level", "trace"))
    """How much the peers' traces say. Plans of version 0.1 call it `trace`."""
    audit: bool = False
    """Whether the traces are compared with the captures when the trial has ended."""
    modules: dict[str, str] = Field(default_factory=dict)
    """The text of each strategy module beside the experiment file, by its name."""

    @property
    def exchanges_pieces(self) -> bool:
        """Whether programs exchange pieces by BitTorrent's protocol, which captures and traces then show."""
        return False

    @property
    def can_be_audited(self) -> bool:
        """Whether traces tell what captures show too, so that both can be compared."""
        return False

    def identity(self) -> dict[str, Any]:
        """Return what a trial's id is made from; it has the names of version 0.1, so that ids stay what they were."""
        values = self.model_dump(mode="json")
        values["capture"] = values["capture"] or []
        del values["audit"]  # which changes nothing in the trial
        return {"trace" if key == "trace_level" else key: value for key, value in values.items()}


class Estimate(Record):
    """What a trial is likely to take."""

    seconds: float
    bits_per_second: float
    """Through the core while all are busy."""
    packets_per_second: float
    """Of data, through the core."""
