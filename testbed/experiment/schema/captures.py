"""The key `capture:`: which packets of a trial are kept."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, StrictInt, Tag, model_validator

from testbed.values.captures import ALL, HEADERS, LEAST_LIMIT, LEAST_SNAPLEN, WHOLE, PlannedCapture
from testbed.values.parts import Part
from testbed.values.quantities import (
    LIST,
    NEEDED,
    PLAIN,
    Count,
    Size,
    Text,
    forms,
    message,
    needed,
    tag,
    word,
)
from testbed.values.units import format_size

HOSTS_FORMS: Final = "none, all, or a list of groups or names of hosts"
ChosenHosts: TypeAlias = Annotated[
    Annotated[Literal["none", "all"], word(HOSTS_FORMS, "none", "all"), Tag(PLAIN)] | Annotated[list[Text], Tag(LIST)],
    forms(HOSTS_FORMS),
]

_LENGTHS: Final[Mapping[str, int]] = {"headers": HEADERS, "full": WHOLE}
_SNAPLEN_FORMS: Final = f"headers, full, or a number of bytes from {LEAST_SNAPLEN} to {WHOLE}"
Snaplen: TypeAlias = Annotated[
    Annotated[Literal["headers", "full"], Tag("<word>")]
    | Annotated[StrictInt, Field(ge=LEAST_SNAPLEN, le=WHOLE), Tag("<number>")],
    Discriminator(
        lambda value: "<word>" if value in _LENGTHS else "<number>" if _is_length(value) else None,
        custom_error_type=NEEDED,
        custom_error_message=_SNAPLEN_FORMS,
    ),
]


def _is_length(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and LEAST_SNAPLEN <= value <= WHOLE


def _enough(size: int) -> int:
    if size < LEAST_LIMIT:
        raise needed(f"at least {format_size(LEAST_LIMIT)}")
    return size


class Captured(Part):
    """Which packets are kept, and how much of each."""

    hosts: ChosenHosts = Field(default="none", description="where both directions of the link are captured")
    core: bool = Field(default=False, description="capture each packet of the network once, as it enters the core")
    filter: Text | None = Field(default=None, description="which packets, in the words of tcpdump; all, if left out")
    snaplen: Snaplen = Field(
        default="headers", description="how much of each packet: headers and 96 bytes, or all of it"
    )
    size_limit: Annotated[Size, AfterValidator(_enough)] | None = Field(
        default=None, description="of one file, before it is compressed"
    )
    files: Count = Field(default=1, description="how many files of that size: the newest are kept")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.hosts in ("none", []) and not self.core:
            raise message("captures nothing: write `hosts:`, or `core: true`")
        if self.files > 1 and self.size_limit is None:
            raise message("`files:` needs `size_limit:`, the size of one file")
        return self


MAPPING: Final = "<mapping>"
CAPTURE_FORMS: Final = (
    f"none, all, a list of groups or names of hosts, or a mapping with {', '.join(Captured.model_fields)}"
)
Capture: TypeAlias = Annotated[
    Annotated[Literal["none", "all"], word(CAPTURE_FORMS, "none", "all"), Tag(PLAIN)]
    | Annotated[list[Text], Tag(LIST)]
    | Annotated[Captured, Tag(MAPPING)],
    Discriminator(
        lambda value: MAPPING if isinstance(value, Mapping | Captured) else tag(value),
        custom_error_type=NEEDED,
        custom_error_message=CAPTURE_FORMS,
    ),
]


def named_hosts(capture: Capture) -> tuple[tuple[str, ...], list[str]]:
    """Return the words of a list of hosts, and the path of that list below `capture:`."""
    if isinstance(capture, Captured):
        return ("hosts",), capture.hosts if isinstance(capture.hosts, list) else []
    return (), capture if isinstance(capture, list) else []


def captures_hosts(capture: Capture) -> bool:
    """Return whether packets of any host are captured, and not only those of the core."""
    hosts = capture.hosts if isinstance(capture, Captured) else capture
    return hosts not in ("none", [])


def captures_all_hosts(capture: Capture) -> bool:
    """Return whether packets of all hosts are captured."""
    return (capture.hosts if isinstance(capture, Captured) else capture) == "all"


def planned(capture: Capture) -> PlannedCapture | None:
    """Fill in what is captured; None for nothing."""
    written = capture if isinstance(capture, Captured) else None
    words = _words(written.hosts if written else capture)
    if written is None:
        return PlannedCapture(hosts=words) if words else None
    return PlannedCapture(
        hosts=words,
        core=written.core,
        filter=written.filter or "",
        snaplen=_LENGTHS[written.snaplen] if isinstance(written.snaplen, str) else written.snaplen,
        size_limit=written.size_limit,
        files=written.files,
    )


def _words(hosts: object) -> tuple[str, ...]:
    if isinstance(hosts, list):
        return tuple(hosts)
    return (ALL,) if hosts == ALL else ()
