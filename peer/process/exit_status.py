"""How a program ends: its exit status, and the error that leads there."""

from enum import IntEnum
from typing import Final


class ExitStatus(IntEnum):
    """How `python -m peer` ends; argparse itself uses 2."""

    OK = 0
    USAGE = 2
    NO_ADDRESS = 3
    NO_TRACE = 4
    NO_TORRENT_OR_PLAN = 5
    NO_DATA = 6
    CUT_SHORT = 7
    WRONG_DATA = 8
    GAVE_UP = 9
    CLIENT_FAILED = 10


MEANINGS: Final = {
    ExitStatus.OK: "finished, or ended by SIGTERM or SIGINT",
    ExitStatus.USAGE: "invalid option or description",
    ExitStatus.NO_ADDRESS: "the address cannot be used (port in use, no such address, no permission)",
    ExitStatus.NO_TRACE: "the trace (or the tracker's log) cannot be opened",
    ExitStatus.NO_TORRENT_OR_PLAN: "the torrent or the plan cannot be read, or the torrent cannot be created",
    ExitStatus.NO_DATA: "the data cannot be read or stored (wrong file, no permission, disk full)",
    ExitStatus.CUT_SHORT: "a second SIGTERM or SIGINT cut the departure short",
    ExitStatus.WRONG_DATA: "the received data is not the expected file",
    ExitStatus.GAVE_UP: "the server refuses the file, or is unreachable for too long",
    ExitStatus.CLIENT_FAILED: "the client that it runs is missing, failed, or ended by itself",
}


class ProgramError(Exception):
    """The program cannot continue; the message tells the user what to do."""

    def __init__(self, status: ExitStatus, problem: str) -> None:
        super().__init__(problem)
        self.status = status


def exit_codes(*statuses: ExitStatus) -> str:
    """Explain exit codes at the end of a `--help`."""
    return "exit codes:\n" + "".join(f"  {status}  {MEANINGS[status]}\n" for status in statuses)
