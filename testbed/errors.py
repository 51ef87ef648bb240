"""Errors that a user can fix."""


class ExplainedError(Exception):
    """An error whose message says what is wrong and what to do; commands print it without a traceback."""


class RunError(ExplainedError):
    """A run folder that cannot be made, continued or trusted."""
