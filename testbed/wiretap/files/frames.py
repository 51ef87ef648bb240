"""What all capture files hold: frames with a time, in a format that their first bytes tell."""

from collections.abc import Iterator
from typing import Final, Protocol, TypeAlias

MOST_CAPTURED: Final = 1 << 20
"""Bytes of one frame or block. No program writes longer ones, so a longer one is damage."""


Frame: TypeAlias = tuple[int, bytes, int, int, int, int]
"""One captured frame: `(time, data, start, end, length, link)`. A plain tuple, since there are millions of them.

- `time`: nanoseconds since 1970;
- `data[start:end]`: its captured bytes; `data` is the part of the file that is in memory;
- `length`: its bytes on the network, of which the captured ones are the first;
- `link`: the link type, a number of https://www.tcpdump.org/linktypes.html.
"""


class Frames(Protocol):
    """The frames of one file."""

    names: dict[str, str]
    """Address to host name, as far as the file was read."""
    comment: str
    unread: int
    """Bytes at the end of the file that are no whole frame."""
    damage: str
    """What is wrong with the end of the file; "" if nothing is."""

    def __iter__(self) -> Iterator[Frame]: ...
