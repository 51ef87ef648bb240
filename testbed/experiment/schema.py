"""What an experiment file can say.

The topology's own parameters are taken as they are written: only the topology knows what they mean.
"""

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Scalar: TypeAlias = str | int | float | bool | None
Parameter: TypeAlias = Scalar | list[Scalar]


class TopologyChoice(BaseModel):
    """Which topology to build, and from which parameters."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    __pydantic_extra__: dict[str, Parameter]

    reference: str = Field(alias="class", min_length=1, description="star, two-isps, tree, a file, or module:name")

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The topology's parameters as they are written."""
        return dict(self.__pydantic_extra__)


class Experiment(BaseModel):
    """One experiment as its author wrote it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    topology: TopologyChoice
    congestion_control: Literal["cubic", "reno", "bbr"] = "cubic"
    title: str = ""
    question: str = ""
