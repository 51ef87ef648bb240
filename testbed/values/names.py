"""Names that authors of experiment files choose for groups of hosts."""

from typing import Annotated, Final, TypeAlias

from pydantic import StrictStr, WithJsonSchema

from testbed.values.quantities import matching

_GROUP_NAME: Final = r"^[a-z][a-z0-9_]{0,19}$"
_GROUP_NAME_FORM: Final = "a name of at most 20 lower-case letters, digits and _, the first a letter"
GroupName: TypeAlias = Annotated[
    StrictStr, matching(_GROUP_NAME, _GROUP_NAME_FORM), WithJsonSchema({"type": "string", "pattern": _GROUP_NAME})
]
