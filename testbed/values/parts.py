"""Mappings of an experiment file."""

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from testbed.values.quantities import Text, needed

Scalar: TypeAlias = StrictStr | StrictInt | StrictFloat | StrictBool | None
Parameter: TypeAlias = Scalar | list[Scalar]


class Part(BaseModel):
    """A mapping of the file; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_alias=True, validate_by_name=True)


class Named(Part):
    """Something with a name, and parameters that only it knows: they are taken as they are written."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Parameter]

    reference: Text = Field(alias="class", description="its name; every other key is a parameter of the strategy")

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters as they are written."""
        return dict(self.__pydantic_extra__)


def _named(value: object) -> object:
    """Let a name alone stand for something without parameters."""
    if isinstance(value, str):
        return {"class": value}
    if isinstance(value, Mapping | Named):
        return value
    raise needed("a name, or a mapping with `class:` and parameters")


NameOrMapping: TypeAlias = Annotated[Named, BeforeValidator(_named, json_schema_input_type=str | Named)]
