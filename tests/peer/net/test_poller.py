"""Readiness of sockets as the kernel reports it, in each kind of event loop."""

import asyncio
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from peer.net.poller import Poller, poller_of, running_poller

Run: TypeAlias = Callable[[Coroutine[Any, Any, Any]], Any]


@contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


async def turns_of_the_loop() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_loop_has_one_poller(run: Run) -> None:
    async def body() -> tuple[Poller, Poller]:
        return running_poller(), poller_of(asyncio.get_running_loop())

    first, second = run(body())
    assert first is second
    assert run(body())[0] is not first


def test_unread_socket_is_reported_again(run: Run) -> None:
    async def body() -> list[str]:
        calls: list[str] = []
        with pair() as (ours, theirs):
            running_poller().add_reader(ours.fileno(), lambda: calls.append("read"))
            await turns_of_the_loop()
            assert calls == []
            theirs.send(b"x")
            await turns_of_the_loop()
            running_poller().remove_reader(ours.fileno())
            seen = len(calls)
            await turns_of_the_loop()
            assert len(calls) == seen
        return calls

    assert len(run(body())) > 1


def test_end_is_reported_to_readers_and_writers(run: Run) -> None:
    async def body() -> list[str]:
        calls: list[str] = []
        with pair() as (ours, theirs):
            poller = running_poller()
            poller.add_reader(ours.fileno(), lambda: calls.append("read"))
            poller.add_writer(ours.fileno(), lambda: calls.append("write"))
            theirs.close()
            await turns_of_the_loop()
            poller.remove_writer(ours.fileno())
            poller.remove_reader(ours.fileno())
        return calls

    assert set(run(body())) == {"read", "write"}


def test_removed_socket_is_not_called(run: Run) -> None:
    async def body() -> list[str]:
        calls: list[str] = []
        poller = running_poller()

        def end_all() -> None:
            calls.append("ended")
            for end in ends:
                poller.remove_reader(end.fileno())

        with pair() as (one, its_other), pair() as (two, its_counterpart):
            ends = (one, two)
            for end in ends:
                poller.add_reader(end.fileno(), end_all)
            its_other.send(b"x")
            its_counterpart.send(b"x")
            await turns_of_the_loop()
        return calls

    assert run(body()) == ["ended"]


def test_removing_unknown_socket_does_nothing(run: Run) -> None:
    async def body() -> None:
        running_poller().remove_reader(0)
        running_poller().remove_writer(0)

    run(body())
