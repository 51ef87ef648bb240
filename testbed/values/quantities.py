"""Quantities of an experiment file.

A validator raises one of two kinds of error. `message` is a whole sentence about what was found. `needed` says what is
possible, and the report adds what was found instead.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, StrictFloat, StrictInt, StrictStr
from pydantic import WithJsonSchema as JsonSchema
from pydantic_core import PydanticCustomError

from testbed.values import units
from testbed.values.units import format_rate

LEAST_RATE: Final = 56_000
MOST_RATE: Final = 1_000_000_000
RATE_STEP: Final = 8
LONGEST_DELAY: Final = 60.0
"""The limits of a link; the network has the same."""

MESSAGE: Final = "message"
NEEDED: Final = "needed"


def refused_rate(rate: int) -> str:
    """Return what is possible instead of a rate that no link can have; empty for a possible rate."""
    if not LEAST_RATE <= rate <= MOST_RATE:
        return f"a rate of {format_rate(LEAST_RATE)} to {format_rate(MOST_RATE)}"
    if rate % RATE_STEP:
        low = rate - rate % RATE_STEP
        return f"a multiple of {RATE_STEP} bit/s (the nearest are {low} and {low + RATE_STEP} bit/s)"
    return ""


def nearest_rate(rate: float) -> int:
    """Return the possible rate that is nearest to a drawn one."""
    return min(MOST_RATE, max(LEAST_RATE, round(rate / RATE_STEP) * RATE_STEP))


def message(text: str) -> PydanticCustomError:
    """Make an error whose text is shown as it is."""
    return PydanticCustomError(MESSAGE, "{text}", {"text": text})


def needed(possible: str) -> PydanticCustomError:
    """Make an error that says what is possible here."""
    return PydanticCustomError(NEEDED, "{text}", {"text": possible})


def _reader(kind: units.Kind, parse: Callable[[str], float]) -> BeforeValidator:
    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise needed(f"a {kind.name} such as {kind.example}")
        try:
            return parse(str(value))
        except units.UnitError as error:
            raise message(str(error)) from error

    return BeforeValidator(read, json_schema_input_type=str)


def _schema(kind: units.Kind) -> JsonSchema:
    return JsonSchema({"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*[^0-9\s].*$", "examples": [kind.example]})


def _at_most_a_minute(seconds: float) -> float:
    if seconds > LONGEST_DELAY:
        raise needed(f"a delay of at most {units.format_duration(LONGEST_DELAY)}")
    return seconds


def _above_zero(value: float) -> float:
    if value <= 0:
        raise needed("more than 0")
    return value


def _share(percent: float) -> float:
    if not 0 <= percent <= 100:
        raise needed("0 % to 100 %")
    return percent


def _possible_link(rate: int) -> int:
    if refusal := refused_rate(rate):
        raise needed(refusal)
    return rate


Rate: TypeAlias = Annotated[
    StrictInt, _reader(units.RATE, units.parse_rate), AfterValidator(_possible_link), _schema(units.RATE)
]
"""A rate that a link can have, in bit/s."""

Size: TypeAlias = Annotated[
    StrictInt, _reader(units.SIZE, units.parse_size), AfterValidator(_above_zero), _schema(units.SIZE)
]
"""Bytes."""

Duration: TypeAlias = Annotated[StrictFloat, _reader(units.DURATION, units.parse_duration), _schema(units.DURATION)]
"""Seconds."""

PositiveDuration: TypeAlias = Annotated[Duration, AfterValidator(_above_zero)]

Delay: TypeAlias = Annotated[Duration, AfterValidator(_at_most_a_minute)]

Percentage: TypeAlias = Annotated[
    StrictFloat, _reader(units.PERCENTAGE, units.parse_percentage), AfterValidator(_share), _schema(units.PERCENTAGE)
]
"""Per cent, 0 to 100."""

Frequency: TypeAlias = Annotated[
    StrictFloat,
    _reader(units.FREQUENCY, units.parse_frequency),
    AfterValidator(_above_zero),
    _schema(units.FREQUENCY),
]
"""Times a second."""

Positive: TypeAlias = Annotated[StrictFloat, Field(gt=0, allow_inf_nan=False)]
Count: TypeAlias = Annotated[StrictInt, Field(ge=1)]
CountOrNone: TypeAlias = Annotated[StrictInt, Field(ge=0)]
Text: TypeAlias = Annotated[StrictStr, Field(min_length=1)]

PLAIN: Final = "<plain>"
LIST: Final = "<list>"


def tag(value: object) -> str | None:
    """Name the form of a value: plain, a list, or a mapping by its first key.

    Tags are in angle brackets, so that no key of a file looks like one.
    """
    if isinstance(value, Mapping):
        return next((f"<{key}>" for key in value), None)
    return LIST if isinstance(value, list | tuple) else PLAIN


def word(possible: str, *words: str) -> BeforeValidator:
    """Accept one of the words; otherwise list all possible forms."""

    def check(value: object) -> object:
        if value not in words:
            raise needed(possible)
        return value

    return BeforeValidator(check)


def matching(form: str, possible: str) -> AfterValidator:
    """Accept text of a form, whose words are for messages."""

    def check(text: str) -> str:
        if not re.fullmatch(form, text):
            raise needed(possible)
        return text

    return AfterValidator(check)


def forms(possible: str) -> Any:
    """Choose the member of a union by the form of the value; if there is none, list the possible forms."""
    return Discriminator(tag, custom_error_type=NEEDED, custom_error_message=possible)
