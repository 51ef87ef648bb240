"""What can go wrong with a delay box."""


class DelayBoxError(RuntimeError):
    """The delay box cannot start, or has ended before its time; the message says what to do."""
