"""Whether to print colours."""

import os
from typing import TextIO


def may_colour() -> bool:
    """Whether the user has not refused colours by NO_COLOR (https://no-color.org); rich asks for itself."""
    return not os.environ.get("NO_COLOR")


def has_colours(stream: TextIO) -> bool:
    """Whether to print colours to a stream."""
    return stream.isatty() and may_colour()
