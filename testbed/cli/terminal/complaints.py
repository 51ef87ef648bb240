"""What is wrong, on standard error."""

import sys

from testbed.cli.terminal.layout import line_width, wrapped


def complain(text: str) -> None:
    """Print a message that may have several lines, each with the name of the command; they fit the terminal."""
    for line in text.splitlines():
        print(wrapped(f"testbed: {line}", line_width(sys.stderr)), file=sys.stderr, flush=True)
