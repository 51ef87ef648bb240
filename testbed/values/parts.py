"""Mappings of an experiment file."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from testbed.values.quantities import Text, message, needed

Scalar: TypeAlias = StrictStr | StrictInt | StrictFloat | StrictBool | None
Parameter: TypeAlias = Scalar | list[Scalar]


Nested: TypeAlias = Parameter | dict[str, Parameter]
"""A parameter, or a mapping of parameters."""


class Part(BaseModel):
    """A mapping of the file; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_alias=True, validate_by_name=True)
    outline: ClassVar[str] = ""
    """What to write, for messages; empty if a list of its keys says it."""


class Named(Part):
    """Something with a name, and parameters that only it knows: they are taken as they are written."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Parameter]

    reference: Text = Field(alias="class", description="its name; every other key is a parameter of the strategy")

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters as they are written."""
        return dict(self.__pydantic_extra__)


def as_named(value: object) -> object:
    """Accept a name alone for a mapping without parameters."""
    if isinstance(value, str):
        return {"class": value}
    if isinstance(value, Mapping | Part):
        _refuse_nested(value)
        return value
    raise needed("a name, or a mapping with `class:` and parameters")


def _refuse_nested(value: Mapping[str, object] | Part) -> None:
    """Refuse `{NAME: {KEY: value}}` for `{class: NAME, KEY: value}`."""
    if isinstance(value, Mapping) and len(value) == 1 and "class" not in value:
        ((name, parameters),) = value.items()
        if isinstance(parameters, Mapping):
            written = ", ".join([f"class: {name}", *(f"{key}: {inner}" for key, inner in parameters.items())])
            raise message(f"write {{{written}}}: `class:` has the name, and the parameters stand beside it")


NameOrMapping: TypeAlias = Annotated[Named, BeforeValidator(as_named, json_schema_input_type=str | Named)]
