"""Hostile neighbours: random bytes, endless bytes, bytes that come slowly or are never read. The node goes on."""

import socket
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final

from peer.net.address import Address, parse_address
from tests.peer.overlays.running import free_address, node
from tests.peer.overlays.toys import BOTH, SONG
from tests.peer.programs import SOON, Program, events_so_far, named, wait_until

MIB: Final = 1 << 20
SHARED: Final = [{"name": SONG.name, "size": SONG.size}]
QUESTION: Final = b'{"ask": "0", "wanted": "a song.mp3"}'


def memory(program: Program) -> int:
    """Return the bytes that a program has in memory."""
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) << 10


def connect(address: Address) -> socket.socket:
    return socket.create_connection(address, timeout=SOON)


def answer(asker: socket.socket) -> bytes:
    """Ask until there is an answer: a node whose buffer is full loses datagrams."""
    asker.settimeout(1)
    deadline = time.monotonic() + SOON
    while time.monotonic() < deadline:
        asker.send(QUESTION)
        with suppress(TimeoutError):
            return asker.recv(1 << 16)
    raise TimeoutError("the node answers no question")


def is_ended(connected: socket.socket) -> bool:
    with suppress(ConnectionError):
        while connected.recv(1 << 16):
            pass
    return True


def test_datagrams_that_are_no_messages_are_refused(tmp_path: Path) -> None:
    trace, address, rng = tmp_path / "trace.jsonl", free_address(), Random(1)
    with (
        node(tmp_path, BOTH["gossip"], "--trace", trace, address=address, items=SHARED) as one,
        socket.socket(type=socket.SOCK_DGRAM) as hostile,
    ):
        one.ready()
        before = memory(one)
        hostile.connect(parse_address(address))
        for _ in range(30):
            for _ in range(10):
                hostile.send(rng.randbytes(rng.randrange(1_400)))
                hostile.send(b"")
            hostile.send(rng.randbytes(60_000))
            assert b"a song" in answer(hostile)
        hostile.send(b"[" * 50_000)
        assert b"a song" in answer(hostile)
        assert memory(one) < before + 8 * MIB
        wait_until(lambda: len(named(events_so_far(trace), "node_erred")) > 300)
        assert one.end() == 0
        assert one.errors() == ""


def test_streams_of_random_and_endless_bytes_end(tmp_path: Path) -> None:
    trace, address, rng = tmp_path / "trace.jsonl", free_address(), Random(1)
    with node(tmp_path, BOTH["line"], "--trace", trace, address=address, items=SHARED) as one:
        one.ready()
        before = memory(one)
        for data in (rng.randbytes(MIB), b"x" * MIB, b"\n" * MIB):
            with connect(parse_address(address)) as hostile:
                with suppress(ConnectionError):
                    hostile.sendall(data)
                assert is_ended(hostile)
        assert memory(one) < before + 8 * MIB
        with connect(parse_address(address)) as friend:
            friend.sendall(QUESTION + b"\n")
            assert b"a song" in friend.recv(1 << 16)
        wait_until(lambda: "no sense" in str(named(events_so_far(trace), "node_erred")))
        assert one.end() == 0
        assert one.errors() == ""


def test_slow_neighbours_do_not_delay_others(tmp_path: Path) -> None:
    address = free_address()
    with node(tmp_path, BOTH["line"], address=address, items=SHARED) as one:
        one.ready()
        slow = [connect(parse_address(address)) for _ in range(50)]
        try:
            for byte in QUESTION[:20]:
                for each in slow:
                    each.send(bytes([byte]))
            with connect(parse_address(address)) as friend:
                friend.sendall(QUESTION + b"\n")
                assert b"a song" in friend.recv(1 << 16)
            slow[7].sendall(QUESTION[20:] + b"\n")
            assert b"a song" in slow[7].recv(1 << 16)
            assert one.end() == 0
            assert is_ended(slow[8])
        finally:
            for each in slow:
                each.close()


def test_neighbour_that_does_not_read_is_dropped(tmp_path: Path) -> None:
    """It gets 1,000 answers to each of its questions."""
    trace, address = tmp_path / "trace.jsonl", free_address()
    parameters = {"burst": 1_000}
    described = {"address": address, "items": SHARED, "parameters": parameters}
    with node(tmp_path, BOTH["line"], "--trace", trace, **described) as one:
        one.ready()
        before = memory(one)
        with connect(parse_address(address)) as hostile, suppress(ConnectionError, TimeoutError):
            for _ in range(1_000):
                hostile.sendall(QUESTION + b"\n")
        wait_until(lambda: "does not read" in str(named(events_so_far(trace), "node_erred")))
        assert memory(one) < before + 16 * MIB
        assert one.end() == 0
        assert one.errors() == ""


def test_hanging_up_sends_what_was_said_before(tmp_path: Path) -> None:
    address = free_address()
    with node(tmp_path, BOTH["line"], address=address) as one:
        one.ready()
        with connect(parse_address(address)) as friend:
            friend.sendall(b'{"hang up": 1}\n{"ask": "0", "wanted": "after it"}\n')
            assert friend.recv(1 << 16) == b'{"well": "bye"}\n'
            assert friend.recv(1 << 16) == b""
        assert one.end() == 0
