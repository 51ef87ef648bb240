"""What a program printed: its lines as they come, and the error at the end of it."""

import re
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 16 << 20
"""A program that prints more is stopped: its output is kept in memory."""
_READ_AT_A_TIME: Final = 1 << 20
_FRAME: Final = re.compile(r'^[ |]*File "(.+?)", line (\d+)', re.MULTILINE)
_TRACEBACK: Final = "Traceback (most recent call last):"


class NewLines:
    """Reads the lines that are new in a growing file."""

    def __init__(self) -> None:
        self._read_bytes = 0

    def __call__(self, path: Path) -> list[bytes]:
        """Return the lines that were completed since the last call, at most 1 MiB of them."""
        if path.stat().st_size == self._read_bytes:
            return []
        with path.open("rb") as file:
            file.seek(self._read_bytes)
            text = file.read(_READ_AT_A_TIME)
        # A line that is longer than what is read at a time is skipped in parts.
        complete = text.rfind(b"\n") + 1 or (len(text) if len(text) == _READ_AT_A_TIME else 0)
        self._read_bytes += complete
        return text[:complete].splitlines()


def last_words(errors: str, folder: Path) -> str:
    """Return the last line of standard error; of a traceback, with file and line.

    The line is that of the innermost file in `folder`, where an experiment's own modules are; without one, the last.
    """
    lines = [line.strip(" |") for line in errors.splitlines()]
    last = next((line for line in reversed(lines) if re.search(r"\w", line)), "")
    frames = [(Path(name), int(line)) for name, line in _FRAME.findall(errors)] if _TRACEBACK in errors else []
    if not frames:
        return last
    own = [frame for frame in frames if frame[0].is_relative_to(folder)]
    file, line = (own or frames)[-1]
    return f"{last} ({file.name}, line {line})"
