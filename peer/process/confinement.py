"""Running code that nobody has tried before: it may print, hang, grow, or crash, and its caller must learn which.

The caller reads answers from our standard output. What the code itself prints goes to standard error. If the code
crashes, or hangs in a place where Python can do nothing, the answers end with a traceback as text (faulthandler's).
"""

import faulthandler
import json
import os
import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn, Self

from peer.process.exit_status import ExitStatus, ProgramError


@dataclass(frozen=True)
class Confinement:
    """Where the code is, and what it may use."""

    folder: str | None
    """Where its modules are searched for first; in the working directory last."""
    seconds: float
    """How long it may take for one step."""
    memory: int
    """Bytes of data."""
    owner: tuple[int, int] | None
    """The user and the group that it runs as, if we are root; None changes nothing."""

    @classmethod
    def of(cls, question: Mapping[str, Any]) -> Self:
        """Read it from a question as JSON has it."""
        owner = question["owner"]
        return cls(
            question["folder"], question["seconds"], question["memory"], None if owner is None else (owner[0], owner[1])
        )


class Answers:
    """Lines of JSON to the caller."""

    def __init__(self) -> None:
        self._file: Final = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        faulthandler.enable(self._file)

    def tell(self, answer: object) -> None:
        print(json.dumps(answer), file=self._file, flush=True)

    def expect_progress(self, seconds: float) -> None:
        """End this process with a traceback unless this is called again within this time."""
        faulthandler.dump_traceback_later(seconds, exit=True, file=self._file)

    def expect_no_progress(self) -> None:
        """Take that back."""
        faulthandler.cancel_dump_traceback_later()

    def end(self, status: int = ExitStatus.OK) -> NoReturn:
        """End at once: threads and exit handlers of the code do not delay it."""
        self._file.flush()
        os._exit(status)


def read_question(expected: str) -> dict[str, Any]:
    """Read a JSON object from standard input; raises ProgramError."""
    try:
        question = json.load(sys.stdin)
    except ValueError as error:
        question = error
    if not isinstance(question, dict):
        raise ProgramError(ExitStatus.USAGE, f"standard input: expected {expected} as JSON, found {question!r}"[:200])
    return question


def confine(confinement: Confinement) -> Answers:
    """Confine this process, before the code runs. Our modules must be imported by then: its owner may not read them."""
    answers = Answers()
    sys.dont_write_bytecode = True
    if confinement.folder is not None:
        sys.path.insert(0, confinement.folder)
    sys.path.append(str(Path.cwd()))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Not the address space: libraries such as those for arrays reserve much of that, and use little.
    resource.setrlimit(resource.RLIMIT_DATA, (confinement.memory, confinement.memory))
    if confinement.owner is not None and os.geteuid() == 0:
        user, group = confinement.owner
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    return answers
