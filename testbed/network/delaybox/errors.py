"""What can go wrong with a delay box."""

from testbed.errors import ExplainedError


class DelayBoxError(ExplainedError, RuntimeError):
    """The delay box cannot start, or has ended before its time; the message says what to do."""
