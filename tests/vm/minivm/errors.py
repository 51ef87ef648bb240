"""Failures of the virtual machine, as opposed to failures of the command in it."""


class VmError(Exception):
    """The virtual machine could not run the command; the message advises what to do."""


class CommandTimeoutError(Exception):
    """The command did not end in time."""
