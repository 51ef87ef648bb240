"""Whether to print colours."""

import os
from typing import TextIO


def has_colours(stream: TextIO) -> bool:
    """Whether a stream is a terminal and NO_COLOR (https://no-color.org) is not set, or empty."""
    return stream.isatty() and not os.environ.get("NO_COLOR")
