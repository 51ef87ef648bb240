"""Asking a program of ours what only it knows: one JSON object on its standard input, lines of JSON as answers.

Such a program runs code of users, which may hang, crash, print without end, or start other programs. So it has a
session of its own, and what is left of that is killed in the end.
"""

import json
import os
import re
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, TypeAlias

Answer: TypeAlias = dict[str, Any]
Print: TypeAlias = Callable[[bytes], None]
"""Takes what a program writes on standard error."""

_AT_ONCE: Final = 1 << 16
_MOST_TEXT: Final = 1 << 16
_STUCK: Final = b"Timeout ("
"""The beginning of what `faulthandler` writes then."""
_TRACEBACK_LINE: Final = re.compile(r'  File "(.*)", line (\d+) in (.*)')


class Line(NamedTuple):
    """A line of a Python file, and the function that it is in."""

    file: Path
    number: int
    function: str


class Consultation:
    """A program that was asked something."""

    def __init__(self, command: str, question: Mapping[str, object], prints: Print | None = None) -> None:
        """Start `python -m peer COMMAND`. Without `prints`, what it writes on standard error is dropped."""
        self._prints: Final = prints
        self._process: Final = subprocess.Popen(
            # -P: the working directory may hold a module of the same name as one of ours.
            # -u: what is printed before a crash is not lost.
            [sys.executable, "-P", "-u", "-m", "peer", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if prints is None else subprocess.PIPE,
            start_new_session=True,
        )
        self._answers: Final[list[Answer]] = []
        self._unread = b""
        self._text = b""
        with suppress(BrokenPipeError):  # it has ended already, which `answers` notices
            self._ask(json.dumps(question).encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Its number stays its own until it is waited for.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in filter(None, (self._process.stdout, self._process.stderr)):
            pipe.close()

    def _ask(self, question: bytes) -> None:
        if self._process.stdin is not None:
            with self._process.stdin as pipe:
                pipe.write(question)

    def answers(self, patience: float) -> Iterator[Answer]:
        """Yield answers until it ends, or gives none for `patience` seconds."""
        with self._watched() as selector:
            deadline = monotonic() + patience
            while ready := selector.select(max(0.0, deadline - monotonic())):
                for key, _ in ready:
                    self._receive(key, selector)
                if self._answers:
                    yield from self._answers
                    self._answers.clear()
                    deadline = monotonic() + patience
                if all(key.data is None for key, _ in ready):  # it has ended, and all is read
                    return

    @property
    def traceback(self) -> list[Line]:
        """What it wrote about where it was when it crashed or hung, the innermost line first."""
        found = (_TRACEBACK_LINE.fullmatch(line) for line in self._text.decode(errors="replace").splitlines())
        return [Line(Path(each[1]), int(each[2]), each[3]) for each in found if each]

    @property
    def was_stuck(self) -> bool:
        """Whether it took too long, so that it ended itself with a traceback, or has not ended yet."""
        return self._text.startswith(_STUCK) or self._status() is None

    def ending(self) -> str:
        """Say how it ended, as seen from outside."""
        status = self._status()
        if status is None:
            return "it does not end"
        if status.si_code == os.CLD_EXITED:
            return f"it ended its process with exit status {status.si_status}"
        return f"it crashed: {signal.strsignal(status.si_status)} ({signal.Signals(status.si_status).name})"

    def _status(self) -> os.waitid_result | None:
        """Return how it ended without forgetting it; None if it still runs."""
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)

    @contextmanager
    def _watched(self) -> Iterator[selectors.BaseSelector]:
        """Watch its pipes, each with the function that takes what comes from it, and its end, which has none."""
        with selectors.DefaultSelector() as selector, closing(_Descriptor(os.pidfd_open(self._process.pid))) as ended:
            selector.register(ended, selectors.EVENT_READ)
            if self._process.stdout is not None:
                selector.register(self._process.stdout, selectors.EVENT_READ, self._take)
            if self._process.stderr is not None:
                selector.register(self._process.stderr, selectors.EVENT_READ, self._prints)
            yield selector

    def _receive(self, key: selectors.SelectorKey, selector: selectors.BaseSelector) -> None:
        if key.data is None:
            return
        if chunk := os.read(key.fd, _AT_ONCE):
            key.data(chunk)
        else:
            selector.unregister(key.fileobj)

    def _take(self, chunk: bytes) -> None:
        """Keep the answers of a chunk; other text is kept apart, up to a limit."""
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        for line in lines:
            answer = _answer(line)
            if answer is not None:
                self._answers.append(answer)
            elif len(self._text) < _MOST_TEXT:
                self._text += line + b"\n"


def _answer(line: bytes) -> Answer | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


class _Descriptor:
    """A file descriptor that can be watched, and is closed."""

    def __init__(self, number: int) -> None:
        self._number: Final = number

    def fileno(self) -> int:
        return self._number

    def close(self) -> None:
        os.close(self._number)
