"""Participation levels: what a client computes of its own uploads and downloads, and says of itself.

The formula is the one that users of KaZaA were told: megabytes uploaded over megabytes downloaded, times 100, from 0 to
1000; files whose quality the user had rated count double; a new user has 10. Others take the number as it is said, and
kazaa-lite said 1000.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

FIRST_LEVEL: Final = 10
MOST_LEVEL: Final = 1_000
_RATED: Final = 2


class Client(Enum):
    """What a user runs."""

    KAZAA = "kazaa"
    KAZAA_LITE = "kazaa-lite"


@dataclass(slots=True)
class Participation:
    """What one user has given and taken, in bytes."""

    client: Client = Client.KAZAA
    first: int = FIRST_LEVEL
    """The level before anything has moved."""
    uploaded: int = 0
    downloaded: int = 0

    def gave(self, size: int, *, is_rated: bool = False) -> None:
        self.uploaded += size * (_RATED if is_rated else 1)

    def took(self, size: int) -> None:
        self.downloaded += size

    @property
    def earned(self) -> int:
        """The level by the formula. Who has only given has the highest."""
        if not self.downloaded:
            return MOST_LEVEL if self.uploaded else self.first
        return min(MOST_LEVEL, self.uploaded * 100 // self.downloaded)

    @property
    def claimed(self) -> int:
        """The level that the client says it has."""
        return MOST_LEVEL if self.client is Client.KAZAA_LITE else self.earned


_NAMES: Final = ((0, "low"), (51, "medium"), (101, "high"), (201, "guru"), (501, "deity"), (901, "supreme being"))


def name_of(level: int) -> str:
    """Return what the client called a level."""
    return next(name for least, name in reversed(_NAMES) if level >= least)
