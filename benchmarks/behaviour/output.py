"""Something that the programs said, and what is kept of it for comparison."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

WHOLE: Final = "whole"
DIGITS: Final = 12


@dataclass(frozen=True)
class Output:
    """A text under a name. It is compared by its parts: a table by its columns, anything else as a whole."""

    name: str
    text: str
    parts: Mapping[str, str]

    @classmethod
    def of_text(cls, name: str, text: str) -> Self:
        """Make one that is compared as a whole."""
        return cls(name, text, {WHOLE: text})

    @property
    def digests(self) -> dict[str, str]:
        """What is recorded."""
        return {name: sha256(part.encode()).hexdigest()[:DIGITS] for name, part in self.parts.items()}

    @property
    def file_name(self) -> str:
        """Where the text is kept, if it is."""
        return self.name.replace(" ", "-").replace("/", "-") + ".txt"
