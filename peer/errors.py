"""What a program cannot accept from outside, whoever sent it."""


class WireError(ValueError):
    """Bytes or text that break a specification; the message says what, where, and what was expected."""
