"""Files over real connections: they come to the port of the messages, and slots are taken until all has arrived."""

import json
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from peer.net.address import Address
from peer.overlays.description import parameters_for, read_description
from peer.overlays.gnutella.sharing.headers import headers_of
from peer.overlays.gnutella.wire.files import target_of
from peer.overlays.reading import DescriptionError
from peer.overlays.registry import OVERLAYS, overlay_named
from tests.peer.overlays.running import SEARCH, free_address, node, searching
from tests.peer.programs import SOON, Program, events, events_so_far, named, wait_until

SONG = "a song.mp3"
SIZE = 3_000_000
"""More than the kernel keeps of what nobody reads."""
ONE_SLOT: dict[str, Any] = {"uploads": {"slots": 1, "by_level": True}, "search": {"silence": 0.5}}


def holder_of(song: str, **described: Any) -> dict[str, Any]:
    return {"items": [{"name": song, "size": SIZE}], "parameters": ONE_SLOT, "downloads": True} | described


class Caller:
    """Somebody who asks for the song, and reads as much as a test wants."""

    def __init__(self, holder: Program, level: int, search: str) -> None:
        self.connection = socket.create_connection(Address("127.0.0.1", holder.port), timeout=SOON)
        headers = "".join(f"{name}: {value}\r\n" for name, value in headers_of(search, level))
        self.connection.sendall(f"GET {target_of(0, SONG)} HTTP/1.1\r\n{headers}\r\n".encode())

    def answer(self) -> bytes:
        """Return the head of the answer."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.connection.recv(1)
        return head

    def take_all(self) -> bytes:
        """Read the content to its end, and close the connection."""
        content = b""
        while len(content) < SIZE:
            content += self.connection.recv(1 << 20)
        self.connection.close()
        return content

    def has_an_answer(self) -> bool:
        self.connection.setblocking(False)
        try:
            return bool(self.connection.recv(1))
        except BlockingIOError:
            return False
        finally:
            self.connection.settimeout(SOON)


def test_who_claims_the_highest_level_is_served_next_and_the_slot_is_free_when_all_has_arrived(tmp_path: Path) -> None:
    trace = tmp_path / "holder.jsonl"
    with node(tmp_path, "gnutella", "--trace", trace, **holder_of(SONG)) as holder:
        holder.ready()
        first = Caller(holder, 10, "1" * 32)
        assert b"Content-Length: 3000000\r\n" in first.answer()
        honest = Caller(holder, 10, "2" * 32)
        wait_until(lambda: len(named(events_so_far(trace), "upload_queued")) == 2)
        liar = Caller(holder, 1000, "3" * 32)
        wait_until(lambda: len(named(events_so_far(trace), "upload_queued")) == 3)
        assert not liar.has_an_answer()
        assert first.take_all() == bytes(SIZE)
        assert liar.answer().startswith(b"HTTP/1.1 200 OK\r\n")
        assert not honest.has_an_answer()
        liar.take_all()
        assert honest.answer().startswith(b"HTTP/1.1 200 OK\r\n")
        honest.take_all()
        assert (holder.end(), holder.errors()) == (0, "")
    queued = named(events(trace), "upload_queued")
    assert [(line["search"][0], line["claimed"], line["place"]) for line in queued] == [
        ("1", 10, 0),
        ("2", 10, 1),
        ("3", 1000, 1),
    ]
    assert [(line["search"][0], line["bytes"]) for line in named(events(trace), "upload_ended")][:2] == [
        ("1", SIZE),
        ("3", SIZE),
    ]


def test_a_node_downloads_what_it_found_before_it_is_completed(tmp_path: Path) -> None:
    address, trace = free_address(), tmp_path / "asker.jsonl"
    with node(tmp_path, "gnutella", **holder_of(SONG, address=address)) as holder:
        holder.ready()
        asker: dict[str, Any] = {"known": [address], "searches": [searching(0.5, SONG)], "parameters": ONE_SLOT}
        with node(tmp_path, "gnutella", "--trace", trace, downloads=True, **asker) as seeker:
            assert seeker.ready().line() == "completed"
            told = events_so_far(trace)
            assert (seeker.end(), seeker.errors()) == (0, "")
        assert (holder.end(), holder.errors()) == (0, "")
    (asked,) = named(told, "download_asked")
    assert (asked["search"], asked["item"], asked["holder"], asked["claimed"]) == (SEARCH, SONG, address, 10)
    assert [line["bytes"] for line in named(told, "download_began")] == [SIZE]
    assert [(line["outcome"], line["bytes"]) for line in named(told, "download_ended")] == [("done", SIZE)]


def test_a_download_from_a_holder_that_dies_ends(tmp_path: Path) -> None:
    address, trace, theirs = free_address(), tmp_path / "asker.jsonl", tmp_path / "holder.jsonl"
    with node(tmp_path, "gnutella", "--trace", theirs, **holder_of(SONG, address=address)) as holder:
        busy = Caller(holder.ready(), 10, "1" * 32)
        asker: dict[str, Any] = {"known": [address], "searches": [searching(0.5, SONG)], "parameters": ONE_SLOT}
        with node(tmp_path, "gnutella", "--trace", trace, downloads=True, **asker) as seeker:
            seeker.ready()
            wait_until(lambda: len(named(events_so_far(theirs), "upload_queued")) == 2)
            holder.end(signal.SIGKILL)
            assert seeker.line() == "completed"
            (ended,) = named(events_so_far(trace), "download_ended")
            assert (ended["outcome"], ended["bytes"]) == ("failed", 0)
            assert ended["why"]
            assert seeker.end() == 0
        busy.connection.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /get/0/another.mp3/ HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 Not Found"),
        (b"GE\0\0\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
        (b"GET /" + bytes(b"a" * 9_000), b"HTTP/1.1 431 Request Header Fields Too Large"),
    ],
)
def test_what_cannot_be_had_is_refused(tmp_path: Path, sent: bytes, status: bytes) -> None:
    with node(tmp_path, "gnutella", **holder_of(SONG)) as holder:
        address = Address("127.0.0.1", holder.ready().port)
        with socket.create_connection(address, timeout=SOON) as caller:
            caller.sendall(sent)
            assert caller.recv(1_000).startswith(status)
        assert (holder.end(), holder.errors()) == (0, "")


@pytest.mark.parametrize("overlay", [name for name in OVERLAYS if name != "gnutella"])
def test_nodes_without_files_refuse_to_download(overlay: str) -> None:
    made, known = overlay_named(overlay), ["127.0.0.1:1"]
    text = {"overlay": overlay, "address": "127.0.0.1:2", "role": next(iter(made.roles)), "downloads": True}
    with pytest.raises(DescriptionError, match=r"downloads: nodes of [a-z]+ have no files for each"):
        parameters_for(read_description(json.dumps(text | {"known": known})), made)
