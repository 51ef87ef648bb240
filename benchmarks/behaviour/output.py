"""An output of the programs, and the digests by which it is compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

WHOLE: Final = "whole"
DIGITS: Final = 12


@dataclass(frozen=True)
class Output:
    """A named text. It is compared by its parts: a table by its columns, any other text as a whole."""

    name: str
    text: str
    parts: Mapping[str, str]

    @classmethod
    def of_text(cls, name: str, text: str) -> Self:
        """Make an output that is compared as a whole."""
        return cls(name, text, {WHOLE: text})

    @property
    def digests(self) -> dict[str, str]:
        """The digest of each part, for the record."""
        return {name: sha256(part.encode()).hexdigest()[:DIGITS] for name, part in self.parts.items()}

    @property
    def file_name(self) -> str:
        """The name of the file for the whole text."""
        return self.name.replace(" ", "-").replace("/", "-") + ".txt"
