"""How an announcement can end without an answer."""


class TrackerFailure(Exception):  # noqa: N818  Nothing is wrong with us.
    """The tracker refused, could not be reached, or made no sense; the message is a line for the trace."""
