"""A directory and its clients, in virtual time."""

from collections.abc import Iterator
from itertools import count, pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.events import TraceEvent
from contract.overlay_events import AnswerCame, NodeErred, NodeJoined, NodeLeft, SearchEnded
from peer.net.address import Address
from peer.overlays.content import Item, Wanted
from peer.overlays.napster import messages as said
from peer.overlays.napster.client import Client, ClientParameters
from peer.overlays.napster.directory import Directory, DirectoryParameters
from peer.overlays.napster.wire import Decoder, Malformed, Unknown, encode, read, size
from peer.overlays.node import Fetch, HangUp, Send
from peer.simulation.overlays.network import OverlayNetwork, Place

SERVER = Address("198.18.0.1", 8888)
SONG = Item("generic band - generic song.mp3", 443_332)
LATENCY = 0.05


class Town:
    """A directory, clients, and their searches."""

    def __init__(self, parameters: DirectoryParameters | None = None) -> None:
        self.network: OverlayNetwork[Any] = OverlayNetwork(size, lambda *_: LATENCY)
        self.parameters = parameters or DirectoryParameters()
        self._numbers: Iterator[int] = count(2)
        self.server = self.open_server()

    def open_server(self) -> Place[Any]:
        place: Place[Any] = Place(SERVER)
        self.network.add(place, Directory(SERVER, self.parameters, place.record))
        self.network.input_to(place, lambda node, now: node.start(now))
        return place

    def client(self, *items: Item, nick: str = "", **parameters: Any) -> Place[Any]:
        number = next(self._numbers)
        place: Place[Any] = Place(Address(f"198.18.0.{number}", 6699))
        node = Client(
            place.address,
            SERVER,
            nick=nick or f"user{number}",
            items=list(items),
            parameters=ClientParameters(**parameters),
            rng=Random(number),
            record=place.record,
        )
        self.network.add(place, node)
        self.network.input_to(place, lambda node, now: node.start(now))
        return place

    def search(self, place: Place[Any], text: str, name: str = "ab" * 16, *, is_exact: bool = False) -> None:
        self.network.input_to(place, lambda node, now: node.search(name, Wanted(text, is_exact), now))

    def wait(self, seconds: float = 1.0) -> None:
        self.network.run(self.network.agenda.now + seconds)


def events(place: Place[Any], kind: type[TraceEvent]) -> list[Any]:
    return [event for _, event in place.events if isinstance(event, kind)]


@pytest.fixture
def town() -> Town:
    return Town()


def test_whoever_shares_is_found_by_words_and_by_name(town: Town) -> None:
    holder, asker = town.client(SONG), town.client()
    town.wait()
    town.search(asker, "generic SONG", "1" * 32)
    town.search(asker, SONG.name, "2" * 32, is_exact=True)
    town.search(asker, "generic song", "3" * 32, is_exact=True)
    town.search(asker, "other song", "4" * 32)
    town.wait()
    assert events(asker, AnswerCame) == [
        AnswerCame("1" * 32, SONG.name, holder.address.host, 1),
        AnswerCame("2" * 32, SONG.name, holder.address.host, 1),
    ]
    outcomes = {ended.search[0]: ended.outcome for ended in events(asker, SearchEnded)}
    assert outcomes == {"1": "found", "2": "found", "3": "not_found", "4": "not_found"}


def test_the_client_is_told_where_to_download(town: Town) -> None:
    holder, asker = town.client(SONG), town.client()
    town.wait()
    town.search(asker, "generic")
    town.wait()
    assert town.network.fetches == [(asker.address, Fetch(SONG.name, holder.address))]


def test_a_search_costs_a_question_an_answer_for_each_result_and_three_more(town: Town) -> None:
    asker = town.client()
    for _ in range(7):
        town.client(SONG)
    town.wait()
    upkeep = town.network.ledger.by_search[""].messages
    town.search(asker, "generic")
    town.wait()
    assert town.network.ledger.by_search["ab" * 16].messages == 1 + 7 + 1 + 2
    assert town.network.ledger.by_search[""].messages == upkeep


def test_who_leaves_or_dies_is_not_found(town: Town) -> None:
    one, other, asker = town.client(SONG), town.client(SONG), town.client()
    town.wait()
    assert town.server.node.entries == 3 + 2
    town.network.kill(one)
    town.network.leave(other)
    town.wait()
    town.search(asker, "generic")
    town.wait()
    assert events(asker, SearchEnded) == [SearchEnded("ab" * 16, "not_found", 0, None, 0)]
    assert town.server.node.entries == 1


def test_without_the_server_searches_fail_and_with_it_they_succeed_again(town: Town) -> None:
    town.client(SONG)
    asker = town.client()
    town.wait()
    town.network.kill(town.server)
    town.search(asker, "generic", "1" * 32)
    town.wait()
    town.search(asker, "generic", "2" * 32)
    town.wait(100)
    town.server = town.open_server()
    town.wait(61)
    town.search(asker, "generic", "3" * 32)
    town.wait()
    outcomes = [(ended.search[0], ended.outcome) for ended in events(asker, SearchEnded)]
    assert outcomes == [("1", "failed"), ("2", "failed"), ("3", "found")]
    assert len(events(asker, NodeJoined)) == 2


def test_clients_wait_longer_and_longer_for_a_server_that_is_gone(town: Town) -> None:
    town.network.kill(town.server)
    asker = town.client(longest_wait=60.0)
    town.wait()
    dials = []
    for _ in range(20):
        when = asker.node.next_deadline()
        dials.append(when)
        town.network.run(when + 3 * LATENCY)
    waits = [later - earlier for earlier, later in pairwise(dials)]
    assert waits[0] < 5
    assert all(30 <= wait <= 61 for wait in waits[8:])


def test_a_client_that_leaves_ends_its_searches(town: Town) -> None:
    asker = town.client()
    town.wait()
    town.search(asker, "generic")
    town.network.leave(asker)
    town.wait()
    assert events(asker, SearchEnded) == [SearchEnded("ab" * 16, "left", 0, None, 0)]


def test_results_belong_to_the_earliest_question_even_if_nobody_waits_for_it(town: Town) -> None:
    town.client(SONG, Item("another.mp3"))
    asker = town.client(patience=0.01)
    town.wait()
    assert not events(asker, NodeJoined), "this patience is shorter than a login takes"
    asker = town.client(patience=2 * LATENCY + 0.01)
    town.wait()
    town.search(asker, "generic", "1" * 32)
    asker.node._questions[0].until = town.network.agenda.now
    town.search(asker, "another", "2" * 32)
    town.wait()
    assert [(each.search[0], each.outcome, each.timeouts) for each in events(asker, SearchEnded)] == [
        ("1", "failed", 1),
        ("2", "found", 0),
    ]
    assert [answer.item for answer in events(asker, AnswerCame)] == ["another.mp3"]


def test_another_holder_is_asked_for_if_the_first_is_gone(town: Town) -> None:
    first, second, asker = town.client(SONG), town.client(SONG), town.client()
    town.wait()
    town.search(asker, "generic")
    town.network.run(town.network.agenda.now + 1.5 * LATENCY)
    town.network.kill(first)
    town.wait()
    assert town.network.fetches == [(asker.address, Fetch(SONG.name, second.address))]


def test_the_directory_takes_no_more_users_and_shares_than_it_may() -> None:
    town = Town(DirectoryParameters(most_connections=2, most_shares=3, most_results=2))
    holder = town.client(*(Item(f"song {number}") for number in range(5)))
    asker, refused = town.client(), town.client()
    town.wait()
    assert not events(refused, NodeJoined)
    assert town.server.node.entries == 2 + 3
    assert len(events(town.server, NodeErred)) == 2
    town.search(asker, "song")
    town.wait()
    assert [answer.holder for answer in events(asker, AnswerCame)] == [holder.address.host] * 2


def test_a_nick_belongs_to_one_user_and_strangers_are_not_kept(town: Town) -> None:
    town.client(nick="one")
    town.wait()
    again, strange = town.client(nick="one"), town.client(nick="no spaces")
    town.wait()
    assert not events(again, NodeJoined)
    assert not events(strange, NodeJoined)
    assert "one is logged in" in events(again, NodeErred)[0].what


def test_a_directory_finds_in_its_own_memory_and_takes_all_searches_with_it(town: Town) -> None:
    holder, asker = town.client(SONG), town.client()
    town.wait()
    town.search(town.server, "generic", "1" * 32)
    assert events(town.server, AnswerCame) == [AnswerCame("1" * 32, SONG.name, holder.address.host, 0)]
    town.search(asker, "generic", "2" * 32)
    town.network.leave(town.server)
    town.wait()
    assert events(asker, SearchEnded) == [SearchEnded("2" * 32, "failed", 0, None, 0)]
    assert events(town.server, NodeLeft) == [NodeLeft("left", True)]


def test_who_does_not_log_in_is_hung_up_on(town: Town) -> None:
    directory = Directory(SERVER, DirectoryParameters(patience=30), town.server.record)
    directory.accepted(1, Address("198.18.0.9", 1), 100.0)
    directory.received(1, said.Search("anything"), 101.0)
    assert directory.take_actions() == []
    assert directory.next_deadline() == 130.0
    directory.tick(130.0)
    assert directory.take_actions() == [HangUp(1, "no login")]


def test_hostile_messages_are_noted_and_change_nothing(town: Town) -> None:
    client = town.client()
    town.wait()
    strange: list[Any] = [
        said.Result("never asked", 1, "nick", "198.18.0.9"),
        said.EndOfResults(),
        said.DownloadFrom("nick", SERVER, "never asked"),
        said.DownloadRefused("nick", "never asked"),
        said.LoginAccepted("again"),
        said.Refusal("x" * 5000),
        said.Search("ask a client"),
        Malformed(201, "too short"),
        Unknown(999),
    ]
    for message in strange:
        client.node.received(client.node._link, message, 10.0)
        town.server.node.received(1, message, 10.0)
    assert client.node.take_actions() == []
    assert [type(event).__name__ for _, event in client.events[1:]] == ["NodeErred", "NodeErred"]
    actions = town.server.node.take_actions()
    assert actions == [Send(1, said.EndOfResults())]


LONG = "x" * 65_535
HOSTILE = st.sampled_from(
    [
        (100, '"a song" 0 1 2 3 4'),
        (100, f"{LONG[:65_500]} 0 1 2 3 4"),
        (100, f"{LONG[:40_000]} 0 1 2 3 4"),
        (200, 'FILENAME CONTAINS "song"'),
        (200, f"FILENAME CONTAINS {LONG[:40_000]}"),
        (203, 'one "a song"'),
        (203, f"one {LONG[:65_531]}"),
        (203, f"{LONG[:65_533]} a"),
        (2, "one - 1 client 1"),
    ]
)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 3), HOSTILE), max_size=12))
def test_whatever_clients_say_the_directory_can_write_its_answers(said_by: list[tuple[int, tuple[int, str]]]) -> None:
    directory = Directory(SERVER, DirectoryParameters(), lambda *_: None)
    for link, nick in ((1, "one"), (2, "two"), (3, LONG[:65_000])):
        directory.accepted(link, Address("198.18.0.9", 1), 0.0)
        directory.received(link, read(2, f"{nick} - 1 client 1".encode()), 0.0)
    for link, (kind, text) in said_by:
        directory.received(link, read(kind, text.encode()), 1.0)
    for action in directory.take_actions():
        if isinstance(action, Send):
            assert len(encode(action.message)) == size(action.message)


def test_traces_are_the_same_if_all_messages_are_written_and_read() -> None:
    def traces(*, as_bytes: bool) -> list[Any]:
        town = Town()
        if as_bytes:
            carry_bytes(town)
        asker, holder = town.client(Item("other.mp3")), town.client(SONG)
        town.wait()
        town.search(asker, "generic")
        town.search(asker, "nothing", "12" * 16)
        town.wait()
        return [asker.events, holder.events, town.network.fetches]

    assert traces(as_bytes=True) == traces(as_bytes=False)


def carry_bytes(town: Town) -> None:
    deliver, decoders = town.network._deliver, dict[Any, Decoder]()

    def deliver_bytes(far: Any, link: int, message: Any, size: int) -> None:
        data, decoder = encode(message), decoders.setdefault((far.address, link), Decoder())
        assert len(data) == size
        found = [each for byte in data for each in decoder.feed(bytes([byte]))]
        deliver(far, link, found[0], size)

    town.network._deliver = deliver_bytes  # type: ignore[method-assign]
