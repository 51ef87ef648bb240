"""How a program of this package ends: its exit status, and the errors that lead there."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How `python -m peer` ends; 2 is argparse's own."""

    OK = 0
    USAGE = 2
    NO_ADDRESS = 3
    NO_TRACE = 4
    NO_TORRENT = 5
    NO_DATA = 6
    CUT_SHORT = 7


class EndError(Exception):
    """The program cannot go on; the message says what to do, the code is the process's."""

    def __init__(self, code: ExitCode, problem: str) -> None:
        super().__init__(problem)
        self.code = code
