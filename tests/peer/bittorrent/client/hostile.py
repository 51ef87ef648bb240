"""Trackers on loopback that follow the script of a test."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeAlias, TypeVar

_Result = TypeVar("_Result")
Run: TypeAlias = Callable[[Coroutine[Any, Any, _Result]], _Result]
"""Runs a coroutine in an event loop: the fixture `run` does so in each kind of loop."""
HttpScript: TypeAlias = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
"""Gets the head of a request, and where to write."""
UdpScript: TypeAlias = Callable[[bytes], list[bytes]]
"""Gets a datagram, returns the answers."""


@asynccontextmanager
async def http_tracker(script: HttpScript, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Answer each connection by a script; gives the URL to announce to."""
    handling: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handling.add(task)
        # Our clients disconnect from a tracker that lies, whatever it still sends.
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await script(await reader.readuntil(b"\r\n\r\n"), writer)
        writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}/announce"
    finally:
        server.close()
        for task in handling:
            task.cancel()
        await asyncio.gather(*handling)


def saying(*portions: bytes) -> HttpScript:
    """Make a script that writes and then closes the connection."""

    async def say(_: bytes, writer: asyncio.StreamWriter) -> None:
        for portion in portions:
            writer.write(portion)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    return say


def then_silent(*portions: bytes) -> HttpScript:
    """Make a script that writes, and then keeps the connection open silently."""

    async def say(_: bytes, writer: asyncio.StreamWriter) -> None:
        for portion in portions:
            writer.write(portion)
        await asyncio.Event().wait()

    return say


@asynccontextmanager
async def udp_tracker(script: UdpScript) -> AsyncIterator[str]:
    """Answer each datagram by a script; gives the URL to announce to."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as listener:
        listener.bind(("127.0.0.1", 0))

        def answer() -> None:
            data, sender = listener.recvfrom(2048)
            for datagram in script(data):
                listener.sendto(datagram, sender)

        loop.add_reader(listener, answer)
        try:
            yield f"udp://127.0.0.1:{listener.getsockname()[1]}/announce"
        finally:
            loop.remove_reader(listener)
