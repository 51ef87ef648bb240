"""Programs as processes, for tests: started, awaited by what they print, and always ended."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SOON = 30.0


class Program:
    """One process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def expect(self, pattern: str) -> re.Match[str]:
        """Wait for the next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        match = re.fullmatch(pattern, line.rstrip("\n"))
        assert match, (line, self.process.poll())
        return match

    def end(self) -> tuple[int, str]:
        """Wait for the end; returns the exit status and standard error."""
        _, complaints = self.process.communicate(timeout=SOON)
        return self.process.returncode, complaints


@contextmanager
def running(command: str, *arguments: str | Path) -> Iterator[Program]:
    """Run `python -m peer COMMAND`."""
    words: Sequence[str | Path] = [sys.executable, "-m", "peer", command, *arguments]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Program(process)
        finally:
            process.kill()


@contextmanager
def serving(file: Path, *options: str | Path) -> Iterator[tuple[Program, int]]:
    """Serve a file on loopback; gives the program and its port."""
    with running("serve", file, "--bind", "127.0.0.1", "--port", "0", *options) as program:
        yield program, int(program.expect(r"ready 127\.0\.0\.1:(\d+)")[1])


def events_in(trace: Path, *events: str) -> list[dict[str, Any]]:
    """Read a trace, or only the lines of some events."""
    lines = map(json.loads, trace.read_text().splitlines())
    return [line for line in lines if not events or line["event"] in events]


def await_event(trace: Path, event: str) -> None:
    """Wait until a program has recorded an event."""
    deadline = time.monotonic() + SOON
    while f'"event":"{event}"' not in trace.read_text():
        assert time.monotonic() < deadline, f"no {event} in {trace}"
        time.sleep(0.01)


def random_file(path: Path, length: int) -> bytes:
    """Write an incompressible file."""
    data = os.urandom(length)
    path.write_bytes(data)
    return data
