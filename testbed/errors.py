"""The base class of errors that a user can fix."""


class ExplainedError(Exception):
    """An error whose message says what is wrong and what to do; commands print it without a traceback."""
