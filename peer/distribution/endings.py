"""How the programs of this package end: their exit status, and the errors that lead there."""

from enum import IntEnum
from typing import Final


class ExitCode(IntEnum):
    """An exit status; where `python -m peer` has the same number, it means the same. 2 is argparse's own."""

    OK = 0
    USAGE = 2
    NO_ADDRESS = 3
    NO_TRACE = 4
    NO_PLAN = 5
    NO_DATA = 6
    WRONG_DATA = 8
    GAVE_UP = 9


MEANINGS: Final = {
    ExitCode.OK: "done, or ended by SIGTERM or SIGINT",
    ExitCode.USAGE: "an option cannot be used",
    ExitCode.NO_ADDRESS: "the address cannot be used (port in use, no such address, no permission)",
    ExitCode.NO_TRACE: "the trace cannot be written when the program starts",
    ExitCode.NO_PLAN: "the plan cannot be used",
    ExitCode.NO_DATA: "a file cannot be read or written",
    ExitCode.WRONG_DATA: "what came is not the file",
    ExitCode.GAVE_UP: "the server does not give the file, or was away for too long",
}


class EndError(Exception):
    """The program cannot go on; the message says what to do, the code is the process's."""

    def __init__(self, code: ExitCode, problem: str) -> None:
        super().__init__(problem)
        self.code = code


def exit_codes(*codes: ExitCode) -> str:
    """Explain exit codes at the end of a `--help`."""
    return "exit codes:\n" + "".join(f"  {code}  {MEANINGS[code]}\n" for code in codes)
