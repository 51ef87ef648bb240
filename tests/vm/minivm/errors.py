"""What can go wrong with the machine, as opposed to the command in it."""


class VmError(Exception):
    """The virtual machine could not run the command; the message says what to do."""


class CommandTimeoutError(Exception):
    """The command did not end in its time."""
