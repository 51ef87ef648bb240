"""Errors that a user can fix."""


class ExplainedError(Exception):
    """An error whose message says what is wrong and what to do; commands print it without a traceback."""


class RunError(ExplainedError):
    """A run folder that cannot be made, continued or trusted."""


class TrialError(ExplainedError):
    """A trial that could not begin or could not be kept: it has no result."""
