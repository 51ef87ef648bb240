"""What can keep a trial or a run from being one."""

from testbed.errors import ExplainedError, RunError

__all__ = ["RunError", "TrialError"]


class TrialError(ExplainedError):
    """A trial could not begin, or could not be kept: it has no result."""
