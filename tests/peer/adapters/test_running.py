"""The life of a client, with small programs in its place: what it prints, records, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from peer.bittorrent.wire.metainfo.metainfo import Metainfo, make_info
from tests.peer.programs import SOON, Program

ADAPTER = '''
"""A client that does as it is told, once it has joined."""

import sys
from peer.adapters.api import BYTES, Adapter, State

BODY = """
import pathlib, signal, subprocess, sys, time
place, original, wake = map(pathlib.Path, sys.argv[1:])
def complete(data=None):
    (place / "file.bin").write_bytes(original.read_bytes() if data is None else data)
    subprocess.run([wake])
"""

class Good(Adapter):
    program = "python3"
    starts_at_join = True
    how = "complete(); time.sleep(60)"

    def command(self):
        original = self.place.torrent.with_name("original")
        return [sys.executable, "-c", BODY + self.how, self.place.downloads, original, self.place.wake]

    def state(self):
        is_complete = (self.place.downloads / "file.bin").exists()
        return State(is_complete, have=1000 * is_complete, received=1000 * is_complete, sent=0)

class Wrong(Good):
    how = "complete(bytes(1000)); time.sleep(60)"

class Crashing(Good):
    how = "sys.exit('no space left')"

class Ending(Good):
    how = "complete(); time.sleep(0.3)"

class Unfinished(Good):
    how = "time.sleep(60)"

class Deaf(Good):
    how = "signal.signal(signal.SIGTERM, signal.SIG_IGN); complete(); time.sleep(60)"

class Troubled(Good):
    how = "time.sleep(60)"
    def state(self):
        return State(False, problem="the disk is full")

class Mute(Good):
    def state(self):
        raise OSError("connection refused")

class Missing(Good):
    program = "no-such-client"
    install = "apt-get install no-such-client"
'''
DATA = bytes(k % 251 for k in range(1000))

Start = Callable[..., Program]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts `python -m peer client` with one of the adapters above, on this machine."""
    (tmp_path / "told.py").write_text(ADAPTER)
    (tmp_path / "original").write_bytes(DATA)
    import hashlib

    info = make_info("file.bin", len(DATA), 16384, [hashlib.sha1(DATA, usedforsecurity=False).digest()])
    (tmp_path / "file.torrent").write_bytes(Metainfo(info, "http://127.0.0.1:1/announce").encode())
    started = []

    def start(name: str, *more: str, role: str = "leech") -> Program:
        words = [f"told:{name}", role, tmp_path / "file.torrent", "--original", tmp_path / "original"]
        words += ["--folder", tmp_path / "work", "--adapters", tmp_path, "--bind", "127.0.0.1"]
        words += ["--trace", tmp_path / "trace.jsonl", *more]
        command = [sys.executable, "-m", "peer", "client", *map(str, words)]
        pipe = subprocess.PIPE
        program = Program(subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True))
        started.append(program.process)
        return program

    yield start
    for process in started:
        process.kill()
        process.communicate()


def events(folder: Path) -> list[dict[str, Any]]:
    """Return what the trace says so far; its last line may be unfinished."""
    text = (folder / "trace.jsonl").read_text()
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def test_client_joins_at_the_signal_completes_and_leaves(client: Start, tmp_path: Path) -> None:
    program = client("Good", "--wait-for-start")
    assert program.line() == "waiting 127.0.0.1:6881"
    program.process.send_signal(signal.SIGUSR1)
    assert program.line() == "completed"
    assert program.end() == 0
    header, *found = events(tmp_path)
    assert header["adapter"] == "told:Good"
    assert [event["event"] for event in found if event["event"] not in {"lagged", "moved"}] == [
        "joined",
        "opened",
        "completed",
        "left",
    ]
    assert list((tmp_path / "work").iterdir()) == [], "its files are gone"


@pytest.mark.parametrize(
    ("name", "status", "complaint"),
    [
        ("Crashing", 10, "python3 ended by itself with exit status 1: no space left"),
        ("Ending", 10, "python3 ended by itself with exit status 0"),
        ("Troubled", 10, "python3: the disk is full"),
        ("Missing", 10, "no-such-client is not installed: install it with `apt-get install no-such-client`"),
    ],
)
def test_client_that_fails_is_named(client: Start, tmp_path: Path, name: str, status: int, complaint: str) -> None:
    program = client(name)
    assert program.process.wait(SOON) == status
    assert program.errors() == f"client: {complaint}\n"
    if name != "Missing":
        assert events(tmp_path)[-1]["reason"] == "failed"
    assert not list((tmp_path / "work").glob("*"))


def test_completed_file_that_differs_is_a_failure(client: Start) -> None:
    program = client("Wrong")
    assert [program.line(), program.line()] == ["ready 127.0.0.1:6881", "completed"]
    assert program.end() == 8
    assert (
        program.errors()
        == "client: python3 says that it is complete, but its file differs from the original from byte 1 on\n"
    )


def test_unfinished_client_ends_in_order(client: Start, tmp_path: Path) -> None:
    program = client("Unfinished").ready()
    assert program.end() == 0
    assert (events(tmp_path)[-1]["event"], events(tmp_path)[-1]["have_count"]) == ("left", 0)


def test_deaf_client_is_killed_and_that_is_recorded(client: Start, tmp_path: Path) -> None:
    program = client("Deaf").ready()
    assert program.line() == "completed"
    assert program.end() == 0
    said = [event["what"] for event in events(tmp_path) if event["event"] == "error"]
    assert said == ["python3 did not end when it was asked to, and was killed"]


def test_client_that_does_not_tell_its_state_is_recorded(client: Start, tmp_path: Path) -> None:
    program = client("Mute").ready()
    deadline = time.monotonic() + SOON
    while not any(event["event"] == "error" for event in events(tmp_path)) and time.monotonic() < deadline:
        os.sched_yield()
    assert program.end() == 0
    said = {event["what"] for event in events(tmp_path) if event["event"] == "error"}
    assert said == {"python3 does not tell its state: connection refused"}


@pytest.mark.parametrize(
    ("departure", "reason"),
    [("at-completion", "complete"), ("0.2 s after completion", "complete"), ("after 0.2 s", "after 0.2 s")],
)
def test_client_departs_as_planned(client: Start, tmp_path: Path, departure: str, reason: str) -> None:
    assert client("Good", "--departure", departure).process.wait(SOON) == 0
    assert events(tmp_path)[-1]["reason"] == reason


def test_client_cannot_come_back(client: Start) -> None:
    program = client("Good", "--departure", "at 50 % for 1 s")
    assert program.process.wait(SOON) == 2
    assert "another client cannot leave and come back" in program.errors()
