"""Messages between the server and its readers: JSON, after its length."""

import json
import struct
from asyncio import StreamReader
from typing import Any, BinaryIO, Final

_LENGTH: Final = struct.Struct("!I")


def framed(message: object) -> bytes:
    """Return a message with its length."""
    text = json.dumps(message, separators=(",", ":")).encode()
    return _LENGTH.pack(len(text)) + text


def read_message(stream: BinaryIO) -> Any:
    """Return the next message; an EOFError says that there is none, since the other end has closed or is gone."""
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    return json.loads(_exactly(stream, length))


def _exactly(stream: BinaryIO, count: int) -> bytes:
    found = stream.read(count)
    if len(found) < count:
        raise EOFError
    return found


async def receive_message(stream: StreamReader) -> Any:
    """Return the next message; an asyncio.IncompleteReadError says that there is none."""
    (length,) = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))
    return json.loads(await stream.readexactly(length))
