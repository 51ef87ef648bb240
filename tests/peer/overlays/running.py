"""Nodes as processes on the loopback interface, for tests of what runs them."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from peer.net.address import Address
from peer.net.sockets import family_of
from tests.peer.programs import Program, running

REPOSITORY: Final = Path(__file__).parents[3]
SEARCH: Final = "9f3c" * 8


def free_address(host: str = "127.0.0.1") -> str:
    """Return an address whose port is free for TCP and UDP just now."""
    family = family_of(host)
    while True:
        with socket.socket(family) as stream, socket.socket(family, socket.SOCK_DGRAM) as datagram:
            stream.bind((host, 0))
            port = stream.getsockname()[1]
            try:
                datagram.bind((host, port))
            except OSError:
                continue
            return str(Address(host, port))


def searching(at: float = 0.0, wanted: str = "a song.mp3", name: str = SEARCH) -> dict[str, Any]:
    return {"at": at, "name": name, "wanted": wanted}


@contextmanager
def node(folder: Path, overlay: str, *options: object, **described: Any) -> Iterator[Program]:
    """Run a node; its description is `described` and has a free address by default."""
    described = {"overlay": overlay, "address": free_address(), "seed": 1} | described
    file = folder / f"{described['address'].replace(':', '-')}.json"
    file.write_text(json.dumps(described))
    with running("node", file, *options, cwd=REPOSITORY) as program:
        yield program
