"""Input from outside that a program cannot accept."""


class WireError(ValueError):
    """Bytes or text that break a specification; the message says what, where, and what was expected."""
