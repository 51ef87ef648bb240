"""What our servents send is what tshark's Gnutella dissector reads."""

import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from peer.net.address import Address
from peer.overlays.content import Item
from peer.overlays.gnutella.parameters import Capability, Parameters, SearchParameters
from peer.overlays.gnutella.wire import encode
from peer.overlays.gnutella.wire import messages as said
from peer.overlays.node import Send
from tests.peer.overlays.gnutella.worlds import PORT, World, with_degree
from tests.wiretap.captures import BEGAN, SECOND, ethernet, pcap, tcp

SONGS = [Item("generic band - generic song.mp3", 443_332), Item("another generic song.mp3", 70_000)]
HIDDEN = Parameters(search=SearchParameters(silence=5), capability=Capability(is_firewalled=True))
CALLER_PORT = 40_000
Way = tuple[Address, Address]
HEADER = ("id", "payload", "ttl", "hops", "size")
FIELDS = (
    "header.id",
    "header.payload",
    "header.ttl",
    "header.hops",
    "header.size",
    "pong.ip",
    "pong.port",
    "pong.files",
    "pong.kbytes",
    "query.search",
    "query.min_speed",
    "queryhit.count",
    "queryhit.port",
    "queryhit.ip",
    "queryhit.speed",
    "queryhit.servent_id",
    "queryhit.hit.name",
    "queryhit.hit.size",
    "push.servent_id",
    "push.ip",
    "push.port",
    "push.index",
)


@pytest.fixture(scope="module")
def conversation() -> dict[Way, list[Any]]:
    """All messages between two neighbours, of whom the first searches and pushes, and the second passes it on."""
    world, sent = World(), defaultdict[Way, list[Any]](list)
    for number, known in ((0, [1]), (1, [2]), (2, [])):
        items = SONGS if number == 2 else []
        world.add(number, known, items, with_degree(HIDDEN, 1 if number == 2 else 2))
    performers = world.network._performers
    perform = performers[Send]

    def tap(place: Any, action: Any) -> None:
        sent[place.address, place.links[action.link][0].address].append(action.message)
        perform(place, action)

    performers[Send] = tap
    world.start()
    world.wait(1)
    world.search(0, "GENERIC song")
    world.wait(20)
    world.network.leave(world.places[0])
    first, second = world.places[0].address, world.places[1].address
    return {way: messages for way, messages in sent.items() if set(way) == {first, second}}


def capture(conversation: dict[Way, list[Any]], file: Path, segment: int) -> None:
    """Write both directions of one connection, cut into segments of so many bytes after the handshake."""
    (caller, called), frames, time = next(iter(conversation)), [], BEGAN
    ends = {caller: CALLER_PORT, called: PORT}
    sequences = {caller: 1, called: 1}
    for step in range(3):
        for source, target in ((caller, called), (called, caller)):
            for data in parts(conversation[source, target], step, segment):
                packet = tcp(
                    source.host,
                    target.host,
                    (ends[source], ends[target]),
                    sequences[source],
                    data,
                    acknowledgement=sequences[target],
                )
                sequences[source] += len(data)
                time += SECOND // 1000
                frames.append((time, ethernet(packet)))
    file.write_bytes(pcap(frames))


def parts(messages: list[Any], step: int, segment: int) -> list[bytes]:
    """Return the first handshake of a direction, the second if there is one, and in the third step the rest."""
    hands = [each for each in messages if isinstance(each, said.Handshake)]
    if step < 2:
        return [encode(each) for each in hands[step : step + 1]]
    stream = b"".join(encode(each) for each in messages if not isinstance(each, said.Handshake))
    return [stream[begin : begin + segment] for begin in range(0, len(stream), segment)]


Seen = dict[str, list[str]]


def seen_in(file: Path) -> Seen:
    """Return the values of each field, in the order of the messages of both directions."""
    shown = [part for name in FIELDS for part in ("-e", f"gnutella.{name}")]
    command = ["tshark", "-n", "-r", file, "-Y", "gnutella", "-T", "fields", *shown, "-E", "aggregator=;"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    columns = zip(*(line.split("\t") for line in lines), strict=True)
    values = [[value for cell in column for value in cell.split(";") if value] for column in columns]
    return dict(zip(FIELDS, values, strict=True))


@pytest.fixture(scope="module", params=[100_000, 37], ids=["whole", "cut"])
def seen(
    request: pytest.FixtureRequest, conversation: dict[Way, list[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Seen:
    file = tmp_path_factory.mktemp("gnutella") / "talk.pcap"
    capture(conversation, file, request.param)
    return seen_in(file)


def ours(conversation: dict[Way, list[Any]], *kinds: type) -> list[Any]:
    return [each for messages in conversation.values() for each in messages if isinstance(each, kinds)]


def test_headers_are_read(seen: Seen, conversation: dict[Way, list[Any]]) -> None:
    found = list(zip(*(seen[f"header.{name}"] for name in HEADER), strict=True))
    sent = ours(conversation, said.Ping, said.Pong, said.Push, said.Query, said.QueryHit, said.Bye)
    expected = [
        (each.guid.hex(), str(encode(each)[16]), str(each.ttl), str(each.hops), str(len(encode(each)) - 23))
        for each in sent
    ]
    assert sorted(found) == sorted(expected)
    assert {int(kind) for _, kind, *_ in found} == {0x00, 0x01, 0x02, 0x40, 0x80, 0x81}


def test_questions_answers_and_pushes_are_read(seen: Seen, conversation: dict[Way, list[Any]]) -> None:
    (hit,), (push,) = (ours(conversation, kind) for kind in (said.QueryHit, said.Push))
    expected = {
        "query.search": ["GENERIC song"],
        "query.min_speed": ["0"],
        "queryhit.count": ["2"],
        "queryhit.port": [str(PORT)],
        "queryhit.ip": ["198.18.0.2"],
        "queryhit.speed": [str(hit.speed)],
        "queryhit.servent_id": [hit.servent.hex()],
        "queryhit.hit.name": [item.name for item in SONGS],
        "queryhit.hit.size": [str(item.size) for item in SONGS],
        "push.servent_id": [hit.servent.hex()],
        "push.ip": ["198.18.0.0"],
        "push.port": [str(PORT)],
        "push.index": [str(push.index)],
    }
    assert {name: seen[name] for name in expected} == expected


def test_pongs_are_read(seen: Seen, conversation: dict[Way, list[Any]]) -> None:
    found = list(zip(*(seen[f"pong.{name}"] for name in ("ip", "port", "files", "kbytes")), strict=True))
    expected = [
        (pong.address.host, str(pong.address.port), str(pong.files), str(pong.kilobytes))
        for pong in ours(conversation, said.Pong)
    ]
    assert sorted(found) == sorted(expected)
