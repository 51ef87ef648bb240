"""`testbed serve` as a process of its own, asked over HTTP on loopback."""

import json
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from testbed.experiment import Plan, Trial
from tests.page.swarms import swarm
from tests.runfolder.runs import write_trial

DEADLINE = 120
"""Seconds after which a test gives up; on a busy machine readers wait until nothing else runs."""
SESSION = '{"version": 1, "sessions": [{"started": "then", "ended": null, "command": ["testbed", "run"]}]}'


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        packed = self.headers.get("content-encoding") == "deflate"
        return json.loads(zlib.decompress(self.body) if packed else self.body)

    def json_header(self, name: str) -> Any:
        return json.loads(self.headers[name])


@dataclass
class Server:
    process: "subprocess.Popen[str]"
    address: str
    """Ends in a slash, and has no token."""
    opened: str
    """What it printed to be opened."""

    @property
    def port(self) -> int:
        return urlsplit(self.address).port or 0

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection, answer = self._asked(path, method, headers)
        try:
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()

    @contextmanager
    def events(self, path: str) -> Iterator[Iterator[Any]]:
        """Yield what an address tells, one value after the other."""
        connection, answer = self._asked(path, "GET", {})
        try:
            yield (json.loads(line.removeprefix(b"data: ")) for line in answer if line.startswith(b"data: "))
        finally:
            answer.close()
            connection.close()

    def _asked(self, path: str, method: str, headers: Mapping[str, str]) -> tuple[HTTPConnection, HTTPResponse]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        connection.request(method, path, headers=dict(headers))
        return connection, connection.getresponse()


@contextmanager
def served(runs: Path, *options: str, end: signal.Signals = signal.SIGINT) -> Iterator[Server]:
    """Serve a folder of runs at a free port, and end that as a user does, or as a supervisor of services does."""
    command = [sys.executable, "-m", "testbed", "serve", *options, "--runs", str(runs), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    opened = process.stdout.readline().strip()
    parts = urlsplit(opened)
    try:
        yield Server(process, f"http://127.0.0.1:{parts.port}/", opened)
    finally:
        if process.poll() is None:
            process.send_signal(end)
        _, said = process.communicate(timeout=DEADLINE)
    assert (process.returncode, said) == (0 if end == signal.SIGINT else -end, "")


def trial_ends(run: Path, trial: Trial) -> None:
    """Have a trial end: its folder gets its name when it is complete."""
    aside = run / "aside"
    (aside / "trials").mkdir(parents=True, exist_ok=True)
    write_trial(aside, trial, swarm(trial)).rename(run / "trials" / trial.id)


def begun(run: Path, plan: Plan, number: int) -> None:
    """Have a trial begin: it has a hidden folder."""
    (run / "trials" / f".{plan.trials[number].id}.part").mkdir()
