"""Servents get files from each other: who is served first, and what becomes of those who wait or are refused."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.overlay_events import DownloadAsked, DownloadBegan, DownloadEnded, UploadEnded, UploadQueued
from peer.net.http import Request
from peer.overlays.content import Item
from peer.overlays.gnutella.parameters import Capability, Parameters, SearchParameters, UploadParameters
from peer.overlays.gnutella.sharing.headers import claimed_in, headers_of, search_in
from peer.overlays.gnutella.wire.files import index_and_name, target_of
from peer.overlays.node import Refuse
from tests.peer.overlays.gnutella.files import RATE, Files
from tests.peer.overlays.gnutella.worlds import LATENCY, World, with_degree

SONG = Item("a song.mp3", 2 * RATE)
OTHER = Item("another song.mp3", RATE)
HOLDER, FIRST, HONEST, LIAR = range(4)
LITE = Capability(client="kazaa-lite")
BY_LEVEL = UploadParameters(slots=1, by_level=True)


def star(uploads: UploadParameters, items: dict[int, list[Item]] | None = None, **able: Capability) -> World:
    """Return a holder whose neighbours are all others, one of whom can be a liar; all have what they are given."""
    world = World()
    Files(world)
    for number in (HOLDER, FIRST, HONEST, LIAR):
        parameters = Parameters(search=SearchParameters(silence=5), uploads=uploads)
        degree = 3 if number == HOLDER else 1
        kept = replace(parameters, neighbours=with_degree(parameters, degree).neighbours)
        if number == LIAR:
            kept = replace(kept, capability=able.get("liar", Capability()))
        shared = (items or {HOLDER: [SONG, OTHER]}).get(number, [])
        world.add(number, [] if number == HOLDER else [HOLDER], shared, kept, downloads=True)
    world.start()
    world.wait(1)
    return world


def search(world: World, number: int, text: str = SONG.name) -> str:
    return world.search(number, text, f"{number + 1:x}" * 32, is_exact=True)


def ended(world: World, number: int) -> list[tuple[str, int | None]]:
    return [(event.outcome, event.bytes) for event in world.events(number, DownloadEnded)]


def order_of_begins(world: World) -> list[int]:
    began = {
        number: t
        for number in (FIRST, HONEST, LIAR)
        for t, event in world.places[number].events
        if isinstance(event, DownloadBegan)
    }
    return sorted(began, key=began.__getitem__)


def test_what_was_found_is_downloaded_from_the_holder_that_answered() -> None:
    world = star(BY_LEVEL)
    name = search(world, FIRST)
    world.wait(10)
    (asked,) = world.events(FIRST, DownloadAsked)
    assert (asked.search, asked.item, asked.claimed) == (name, SONG.name, 10)
    assert asked.holder == str(world.places[HOLDER].address)
    assert world.events(FIRST, DownloadBegan) == [DownloadBegan(name, SONG.size)]
    assert world.events(FIRST, DownloadEnded) == [DownloadEnded(name, "done", SONG.size)]
    address = str(world.places[FIRST].address)
    assert world.events(HOLDER, UploadQueued) == [UploadQueued(name, SONG.name, address, 10, 0)]
    assert world.events(HOLDER, UploadEnded) == [UploadEnded(name, SONG.size)]


def test_servents_that_do_not_download_leave_it_to_others() -> None:
    world = World()
    world.add(0, items=[SONG])
    world.add(1, [0])
    world.start()
    world.wait(1)
    search(world, 1)
    world.wait(10)
    assert [fetch.item for _, fetch in world.network.fetches] == [SONG.name]
    assert not world.events(1, DownloadAsked)


@pytest.mark.parametrize(("by_level", "order"), [(True, [FIRST, LIAR, HONEST]), (False, [FIRST, HONEST, LIAR])])
def test_who_claims_a_high_level_is_served_first_where_levels_count(by_level: bool, order: list[int]) -> None:
    world = star(UploadParameters(slots=1, by_level=by_level), liar=LITE)
    for number in (FIRST, HONEST, LIAR):
        search(world, number)
        world.wait(0.5)
    world.wait(20)
    assert order_of_begins(world) == order
    assert [ended(world, number) for number in order] == [[("done", SONG.size)]] * 3
    places = [(event.claimed, event.place) for event in world.events(HOLDER, UploadQueued)]
    assert places == [(10, 0), (10, 1), (1000, 1 if by_level else 2)]


def test_an_honest_level_follows_what_was_given_and_taken() -> None:
    world = star(BY_LEVEL, {HOLDER: [SONG, OTHER], FIRST: [Item("mine.mp3", RATE)]})
    claims = []
    for text in (SONG.name, OTHER.name):
        world.search(FIRST, text, f"{len(claims):032x}", is_exact=True)
        world.wait(10)
        claims.append(world.events(FIRST, DownloadAsked)[-1].claimed)
        if len(claims) == 1:
            search(world, HONEST, "mine.mp3")
            world.wait(10)
    assert claims == [10, 50]  # half of what it took it gave
    assert world.places[FIRST].node._servent.participation.claimed == 33


def test_a_liar_claims_the_same_before_and_after() -> None:
    world = star(BY_LEVEL, liar=LITE)
    for number, text in enumerate((SONG.name, OTHER.name)):
        world.search(LIAR, text, f"{number:032x}", is_exact=True)
        world.wait(10)
    assert [event.claimed for event in world.events(LIAR, DownloadAsked)] == [1000, 1000]


def test_neighbours_are_told_the_claim_too() -> None:
    world = star(BY_LEVEL, liar=LITE)
    levels = {link.address: link.level for link in world.places[HOLDER].node._servent.links.peers}
    assert levels == {world.places[number].address: 1000 if number == LIAR else 10 for number in (FIRST, HONEST, LIAR)}


def test_who_does_not_fit_into_the_queue_is_told_so() -> None:
    world = star(UploadParameters(slots=1, most_waiting=1, by_level=True), liar=LITE)
    for number in (FIRST, HONEST, LIAR):
        search(world, number)
        world.wait(0.5)
    world.wait(20)
    assert ended(world, HONEST) == [("refused", 0)]
    assert world.events(HONEST, DownloadEnded)[0].why == "503 No"
    assert ended(world, LIAR) == [("done", SONG.size)]


def test_who_gives_up_makes_room_for_the_next() -> None:
    world = star(BY_LEVEL)
    search(world, FIRST)
    world.wait(0.5)
    search(world, HONEST)
    world.wait(0.5)
    world.network.input_to(world.places[HOLDER], lambda node, now: node.upload_ended(2, 0, now))
    assert [event.bytes for event in world.events(HOLDER, UploadEnded)] == [0]
    search(world, LIAR)
    world.wait(20)
    assert ended(world, LIAR) == [("done", SONG.size)]


def test_a_download_from_somebody_who_is_gone_fails() -> None:
    world = star(BY_LEVEL)
    search(world, FIRST)
    world.wait(2 * LATENCY - 0.01)  # the answer is under way
    world.network.kill(world.places[HOLDER])
    world.wait(20)
    assert ended(world, FIRST) == [("failed", 0)]


def test_who_leaves_says_so_of_its_downloads() -> None:
    world = star(BY_LEVEL)
    search(world, FIRST)
    world.wait(0.5)
    world.network.leave(world.places[FIRST])
    assert ended(world, FIRST) == [("left", None)]


@pytest.mark.parametrize(
    "path", ["/", "/get/0/", "/get/9/a%20song.mp3/", "/get/0/another%20song.mp3/", "/get/99999999999/a/", "/get/x/a/"]
)
def test_a_file_that_is_not_there_is_refused(path: str) -> None:
    world = star(BY_LEVEL)
    place = world.places[HOLDER]
    request = Request("GET", path, "", {}, True)
    place.node.upload_asked(7, place.address, request, world.network.agenda.now)
    assert place.node.take_actions() == [Refuse(7, 404)]
    assert not world.events(HOLDER, UploadQueued)


@given(st.integers(0, 1 << 31), st.text(min_size=1, max_size=40).filter(lambda text: "\0" not in text))
def test_paths_name_any_file(index: int, name: str) -> None:
    target = target_of(index, name)
    assert target.isascii()
    assert not set(target) & set(" ?#\r\n")
    assert index_and_name(target) == (index, name)


@pytest.mark.parametrize(
    ("said", "claimed"), [("", 10), ("0", 0), ("1000", 1000), ("99999", 1000), ("-1", 10), ("1e3", 10), ("9" * 400, 10)]
)
def test_a_claim_is_a_level_whatever_is_said(said: str, claimed: int) -> None:
    headers = {"x-participation-level": said, "x-search": "a" * 99}
    assert claimed_in(headers) == claimed
    assert search_in(headers) == "a" * 32


def test_what_is_asked_with_is_understood() -> None:
    headers: dict[str, Any] = {name.lower(): value for name, value in headers_of("ab" * 16, 77)}
    assert (claimed_in(headers), search_in(headers)) == (77, "ab" * 16)
