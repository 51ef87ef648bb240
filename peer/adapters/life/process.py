"""The process of a program: started with its own settings, heard, and ended in order or else killed."""

import asyncio
import re
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from peer.adapters.program import Program
from peer.process.exit_status import ExitStatus, ProgramError
from peer.process.signals import first_of

END_SECONDS: Final = 3.0
"""How long it may take to end when it is asked to."""
_HEAR_SECONDS: Final = 0.5
"""How long to wait for the end of its output, which what it started may hold open."""
_MOST_WORDS: Final = 300
_TAIL_BYTES: Final = 4096


class ClientProcess:
    """A program that runs."""

    def __init__(self, process: asyncio.subprocess.Process, program: Program, log: Path) -> None:
        self._process: Final = process
        self._program: Final = program
        self._log: Final = log
        self._hearing: asyncio.Task[None] | None = None
        self.ended: Final = asyncio.ensure_future(process.wait())

    @classmethod
    async def start(cls, program: Program, heard: Callable[[], None]) -> Self:
        """Start it; `heard` is called after each line that it prints and it hears."""
        log = program.folder / "output.log"
        try:
            command = [str(word) for word in await asyncio.to_thread(program.command)]
            with log.open("wb") as output:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE if program.is_heard else output,
                    stderr=output,
                    env=program.environment(),
                    cwd=program.folder,
                )
        except OSError as error:
            raise ProgramError(ExitStatus.CLIENT_FAILED, f"{program.program} cannot be started: {error}") from error
        self = cls(process, program, log)
        if process.stdout is not None:
            self._hearing = asyncio.ensure_future(self._hear(process.stdout, heard))
        return self

    async def _hear(self, lines: asyncio.StreamReader, heard: Callable[[], None]) -> None:
        async for line in lines:
            self._program.hear(line.decode(errors="replace").rstrip("\n"))
            heard()

    @property
    def has_ended(self) -> bool:
        """Whether it no longer runs."""
        return self.ended.done()

    def early_end(self) -> ProgramError:
        """Return the error that it has ended though nobody asked it to."""
        status = self._process.returncode or 0
        how = f"exit status {status}" if status >= 0 else f"signal {-status}"
        words = self._last_words()
        problem = f"{self._program.program} ended by itself with {how}{': ' if words else ''}{words}"
        return ProgramError(ExitStatus.CLIENT_FAILED, problem)

    async def end(self, insisted: asyncio.Event) -> bool:
        """Ask it to end, and kill it if it does not within a few seconds; returns whether it ended in order."""
        if self.has_ended:
            return True
        self._signal(self._program.end_signal)
        await first_of(self.ended, asyncio.sleep(END_SECONDS), insisted.wait())
        is_orderly = self.has_ended
        if not is_orderly:
            self._signal(signal.SIGKILL)
            await self.ended
        if self._hearing is not None:
            await first_of(self._hearing, asyncio.sleep(_HEAR_SECONDS))
        return is_orderly

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def _last_words(self) -> str:
        """Return the last line of its output that has a word in it."""
        try:
            text = self._log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace")
        except OSError:
            return ""
        lines = [line.strip() for line in text.splitlines() if re.search(r"\w", line)]
        return lines[-1][-_MOST_WORDS:] if lines else ""
