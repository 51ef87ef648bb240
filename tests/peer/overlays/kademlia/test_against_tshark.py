"""What our nodes send is what tshark's dissector of the DHT reads."""

import subprocess
from typing import Any, get_args

import pytest

from peer.net.address import Address
from peer.overlays.kademlia import wire
from peer.overlays.kademlia.node import KademliaNode
from peer.overlays.kademlia.wire import messages as said
from peer.overlays.kademlia.wire.messages import Message
from peer.overlays.node import SendTo
from tests.peer.overlays.kademlia.worlds import World, address
from tests.wiretap.captures import BEGAN, SECOND, ethernet, pcap, udp

PORT = 6881
NODES = 12
NAME = "generic song"
FIELDS = (
    "bt-dht.bencoded.string",
    "bt-dht.bencoded.int",
    "bt-dht.id",
    "bt-dht.ip",
    "bt-dht.port",
    "udp.length",
    "_ws.malformed",
    "bt-dht.truncated_data",
    "bt-dht.invalid_string",
    "bt-dht.invalid_length",
)
FAULTS = FIELDS[-4:]
Datagram = tuple[Address, Address, Message]


@pytest.fixture(scope="module")
def conversation() -> list[Datagram]:
    """All that nodes say: they join, one announces, others look for it, and one gets what it does not know."""
    world, sent = World(), list[Datagram]()
    perform = world.network._performers[SendTo]

    def tap(place: Any, action: Any) -> None:
        sent.append((place.address, action.to, action.message))
        perform(place, action)

    world.network._performers[SendTo] = tap
    world.grow(NODES)
    world.share(world.spots[3], NAME)
    world.search(world.spots[5], NAME)
    tell(world, world.spots[7].address, said.AnnouncePeer(b"t1", 1, 2, 6881, b"a token of nobody"))
    tell(world, world.spots[7].address, said.UnknownQuery(b"t2", b"vote"))
    sent += [(address(0), address(1), each) for each in rarely_sent()]
    return sent


def tell(world: World, to: Address, message: Message) -> None:
    """Let a node say something else than it would."""

    def say(node: KademliaNode, _: float) -> None:
        node._outbox.do(SendTo(to, message))

    world.network.input_to(world.spots[8], say)
    world.run(1)


def rarely_sent() -> list[Message]:
    """Messages with everything that they can have."""
    return [
        said.Ping(b"\0\xff", 5, is_read_only=True),
        said.FindNode(b"aa", 7, 1 << 159, version=None),
        said.AnnouncePeer(b"ab", 1, 2, 65_535, bytes(range(20)), has_implied_port=True),
        said.Answer(b"ac", 6, (), (Address("198.18.7.8", 9),), b"\xfe" * 20, Address("198.18.7.9", 10)),
    ]


@pytest.fixture(scope="module")
def seen(conversation: list[Datagram], tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, list[str]]]:
    """The values of each field in each datagram, in their order."""
    file = tmp_path_factory.mktemp("krpc") / "talk.pcap"
    frames = [
        (BEGAN + number * SECOND // 1000, ethernet(udp(source.host, to.host, (PORT, PORT), wire.encode(message))))
        for number, (source, to, message) in enumerate(conversation)
    ]
    file.write_bytes(pcap(frames))
    shown = [part for name in FIELDS for part in ("-e", name)]
    command = ["tshark", "-n", "-r", file, "-d", f"udp.port=={PORT},bt-dht", "-Y", "bt-dht", "-T", "fields", *shown]
    ended = subprocess.run([*command, "-E", "aggregator=;"], capture_output=True, text=True, check=True)
    rows = [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in ended.stdout.splitlines()]
    return [{name: [each for each in cell.split(";") if each] for name, cell in row.items()} for row in rows]


def test_each_datagram_is_a_whole_message(conversation: list[Datagram], seen: list[dict[str, list[str]]]) -> None:
    assert {type(message) for _, _, message in conversation} == set(get_args(Message))
    assert len(seen) == len(conversation)
    assert [row for row in seen if any(row[name] for name in FAULTS)] == []


def test_lengths_are_those_that_virtual_time_counts(
    conversation: list[Datagram], seen: list[dict[str, list[str]]]
) -> None:
    assert [row["udp.length"] for row in seen] == [[str(8 + wire.size(message))] for _, _, message in conversation]


def test_keys_and_values_are_read(conversation: list[Datagram], seen: list[dict[str, list[str]]]) -> None:
    for (_, _, message), row in zip(conversation, seen, strict=True):
        words, numbers = strings_of(message)
        found = row["bt-dht.bencoded.string"]
        # Of an error, tshark 4.0 reads the number and the text alone.
        assert (found[:2] if isinstance(message, said.Refusal) else found) == words, message
        assert row["bt-dht.bencoded.int"] == numbers, message


def test_nodes_and_peers_are_read(conversation: list[Datagram], seen: list[dict[str, list[str]]]) -> None:
    named = 0
    for (_, _, message), row in zip(conversation, seen, strict=True):
        answer = message if isinstance(message, said.Answer) else said.Answer(b"", 0)
        nodes = answer.nodes or ()
        addresses = [*([answer.ip] if answer.ip else []), *(each.address for each in nodes), *(answer.values or ())]
        assert row["bt-dht.id"] == [in_hex(node.id) for node in nodes]
        assert row["bt-dht.ip"] == [each.host for each in addresses]
        assert row["bt-dht.port"] == [str(each.port) for each in addresses]
        named += len(addresses)
    assert named > NODES


def in_hex(number: int) -> str:
    return f"{number:040x}"


def strings_of(message: Message) -> tuple[list[str], list[str]]:
    """Return the keys and texts of a message as tshark shows them, in their order, and its numbers."""
    match message:
        case said.Answer():
            return [*_answer(message), *_end(message, "r")], []
        case said.Refusal():
            return ["e", message.text], [str(message.code)]
        case said.UnknownQuery():
            return ["a", "q", message.method.decode(), "t", message.transaction.hex(), "y", "q"], []
        case _:
            arguments, numbers = _question(message)
            words = ["a", "id", in_hex(message.id), *arguments, "q", METHODS[type(message)]]
            read_only = ["ro"] if message.is_read_only else []
            return [*words, *read_only, *_end(message, "q")], [*numbers, *(["1"] if message.is_read_only else [])]


METHODS = {
    said.Ping: "ping",
    said.FindNode: "find_node",
    said.GetPeers: "get_peers",
    said.AnnouncePeer: "announce_peer",
}


def _question(message: said.Query) -> tuple[list[str], list[str]]:
    match message:
        case said.FindNode():
            return ["target", in_hex(message.target)], []
        case said.GetPeers():
            return ["info_hash", in_hex(message.info_hash)], []
        case said.AnnouncePeer():
            implied = ["implied_port"] if message.has_implied_port else []
            words = [*implied, "info_hash", in_hex(message.info_hash), "port", "token", message.token.hex()]
            return words, [*("1" for _ in implied), str(message.port)]
        case said.Ping():
            return [], []


def _answer(message: said.Answer) -> list[str]:
    own = ["ip"] if message.ip is not None else []
    nodes = ["nodes"] if message.nodes is not None else []
    token = ["token", message.token.hex()] if message.token is not None else []
    return [*own, "r", "id", in_hex(message.id), *nodes, *token, *(["values"] if message.values is not None else [])]


def _end(message: said.Query | said.Answer, kind: str) -> list[str]:
    version = ["v", message.version.hex()] if message.version is not None else []
    return ["t", message.transaction.hex(), *version, "y", kind]
