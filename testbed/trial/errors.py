"""What can keep a trial or a run from being one."""

from testbed.errors import ExplainedError


class TrialError(ExplainedError):
    """A trial could not begin, or could not be kept: it has no result."""


class RunError(ExplainedError):
    """A run folder cannot be made, continued or believed."""
