"""The base of all errors that are written for the user."""


class ExplainedError(Exception):
    """An error whose message says what was found and what to do; a command prints it and no traceback."""


class RunError(ExplainedError):
    """A run folder that cannot be made, continued or trusted."""
