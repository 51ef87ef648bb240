"""What the programs of this package have in common: loop, signals, exit status, trace, options."""

import argparse
import asyncio
import re
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from peer.bittorrent.wire.peer_id import OUR_VERSION
from peer.distribution.endings import EndError, ExitCode
from peer.errors import WireError
from peer.net.address import Address, pack_host
from peer.net.listener import bound_socket, explain
from peer.process.event_loop import loop_factory
from peer.process.start_gate import told_to_begin
from peer.process.ticker import turns
from peer.trace.file import TraceError, TraceFile
from peer.trace.recorder import Diary

TURN: Final = 1.0
"""Seconds between two looks at what has moved, and at who keeps us waiting."""


def run(name: str, main: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Run a program to its end; returns the exit status."""
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(main())
    except EndError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return error.code
    return ExitCode.OK


async def live(
    diary: Diary, work: Coroutine[Any, Any, None], have_count: Callable[[], int], *jobs: Callable[[], None]
) -> None:
    """Work to the end, or until SIGTERM or SIGINT; once a second do the jobs; at last tell the trace why it ended."""
    diary.turn()
    try:
        reason = await _until_signalled(_beside(work, _every_turn(diary, *jobs)))
    except EndError as error:
        diary.failed(str(error))
        diary.left("failed", have_count())
        raise
    diary.left(reason, have_count())


async def wait_until_told(address: Address) -> None:
    """Return when SIGUSR1 says that it is time to begin; SIGTERM or SIGINT ends the program before that."""
    if await _until_signalled(told_to_begin(address)) != "done":
        raise EndError(ExitCode.OK, "ended before it was told to begin")


async def _until_signalled(work: Coroutine[Any, Any, None]) -> str:
    """Return the signal's name, or that the work is done."""
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    signals: list[str] = []

    def stop(number: signal.Signals) -> None:
        signals.append(number.name)
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    try:
        await task
    except asyncio.CancelledError:
        if not signals:
            raise
        return signals[0]
    return "done"


async def _beside(work: Coroutine[Any, Any, None], turning: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(turning)
    try:
        await work
    finally:
        task.cancel()


async def _every_turn(diary: Diary, *jobs: Callable[[], None]) -> None:
    async for _ in turns(TURN, diary.tell):
        diary.turn()
        for job in jobs:
            job()


@contextmanager
def open_diary(path: Path | None, distribution: str) -> Iterator[Diary]:
    """Begin the trace; without a path nothing is written."""
    try:
        trace = TraceFile(path, {"program": OUR_VERSION, "distribution": distribution})
    except TraceError as error:
        raise EndError(ExitCode.NO_TRACE, str(error)) from error
    with trace:
        yield Diary(trace)


def add_hold(parser: argparse.ArgumentParser) -> None:
    """Add the option with which many programs can begin at one moment."""
    explained = "get everything ready, print `waiting HOST:PORT`, and begin when SIGUSR1 comes"
    parser.add_argument("--hold", action="store_true", help=explained)


def bind(address: Address, advice: str) -> socket.socket:
    """Return a TCP socket at an address of this host, not listening yet."""
    try:
        return bound_socket(address)
    except OSError as error:
        problem = f"cannot use the address {address}: {explain(error)}; {advice}"
        raise EndError(ExitCode.NO_ADDRESS, problem) from error


def number(low: int, high: int) -> Callable[[str], int]:
    """Return what reads an option's whole number."""

    def number(text: str) -> int:
        if not (text.isascii() and text.isdecimal()) or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"expected {low} to {high}, found {text!r}")
        return int(text)

    return number


def host(text: str) -> str:
    """Read an option's IPv4 address."""
    try:
        pack_host(text)
    except WireError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def digest(text: str) -> bytes:
    """Read an option's SHA-1."""
    if not re.fullmatch("[0-9A-Fa-f]{40}", text):
        raise argparse.ArgumentTypeError(f"expected 40 hex digits, found {text!r}")
    return bytes.fromhex(text)
