"""What is wrong, on standard error."""

import sys


def complain(text: str) -> None:
    """Print a message that may have several lines, each with the name of the command."""
    for line in text.splitlines():
        print(f"testbed: {line}", file=sys.stderr)
