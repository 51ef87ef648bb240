"""What a node is to do is read strictly: each error names its key."""

import json
from typing import Any

import pytest

from peer.net.address import Address
from peer.overlays.content import Item
from peer.overlays.description import Search, Session, parameters_for, read_description
from peer.overlays.overlay import Attack
from peer.overlays.reading import DescriptionError
from peer.overlays.registry import OVERLAYS, overlay_named
from tests.peer.overlays.toys import LINE, Parameters

LEAST = {"overlay": "line", "address": "198.18.0.3:6346"}
SEARCH = {"at": 12.5, "name": "0a" * 16, "wanted": "a song"}


def test_everything_has_its_place() -> None:
    described = read_description(
        json.dumps(
            {
                **LEAST,
                "role": "node",
                "parameters": {"patience": 2},
                "known": ["198.18.0.2:6346", "198.18.0.4:1"],
                "items": [{"name": "a song.mp3", "size": 1000}, {"name": "another"}],
                "searches": [SEARCH, SEARCH | {"at": 80, "name": "0b" * 16, "is_exact": False}],
                "sessions": [
                    {"join": 0.0, "leave": 50.0, "by_word": False, "address": "198.18.1.3:6346"},
                    {"join": 80.0, "leave": None},
                ],
                "seed": 123,
                "fetch": True,
                "followed": ["0c" * 16],
            }
        )
    )
    assert described.known == (Address("198.18.0.2", 6346), Address("198.18.0.4", 1))
    assert described.items == (Item("a song.mp3", 1000), Item("another"))
    assert described.searches[1] == Search(80.0, "0b" * 16, "a song", is_exact=False)
    assert described.sessions == (Session(0, 50, False, Address("198.18.1.3", 6346)), Session(80.0))
    assert (described.seed, described.fetch, described.followed) == (123, True, ("0c" * 16,))
    assert parameters_for(described, LINE) == Parameters(patience=2.0)


def test_little_is_obligatory() -> None:
    described = read_description(json.dumps(LEAST))
    assert (described.role, described.sessions, described.seed) == ("node", (Session(),), None)
    assert parameters_for(described, LINE) == Parameters()


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"adress": 1}, "adress: unknown key; did you mean address?"),
        ({"followed": ["song"]}, "followed[0]: expected a name of 32 hex digits in lower case, found 'song'"),
        ({"xyz": 1}, "xyz: unknown key; expected overlay, address, role"),
        ({"address": 5}, "address: expected a text, found 5"),
        ({"address": "198.18.0.3"}, "address: expected host:port"),
        ({"address": "example.org:80"}, "address: expected an IPv4 address, found 'example.org'"),
        ({"known": ["198.18.0.2:1", "[::g]:80"]}, "known[1]: expected host:port"),
        ({"known": "198.18.0.2:1"}, "known: expected a list, found '198.18.0.2:1'"),
        ({"parameters": []}, "parameters: expected an object, found []"),
        ({"items": [{"name": "a", "size": 1.5}]}, "items[0].size: expected a whole number, found 1.5"),
        ({"items": [{"name": "\ud800"}]}, "items[0].name: expected characters of Unicode"),
        ({"items": [{"size": 1}]}, "items[0].name: missing"),
        ({"searches": [SEARCH | {"at": "now"}]}, "searches[0].at: expected a number, found 'now'"),
        ({"searches": [SEARCH | {"at": True}]}, "searches[0].at: expected a number, found True"),
        ({"searches": [SEARCH | {"at": float("inf")}]}, "searches[0].at: expected a number, found inf"),
        ({"searches": [SEARCH | {"name": "x"}]}, "searches[0]: expected a name of 32 hex digits"),
        ({"searches": [SEARCH, SEARCH]}, "searches[1].name: another search has this name"),
        ({"searches": [SEARCH | {"at": -1}]}, "searches[0].at: the node is in no session -1 s after the start"),
        ({"searches": [SEARCH], "sessions": [{"leave": 12.5}]}, "searches[0].at: the node is in no session 12.5 s"),
        ({"sessions": []}, "sessions: expected one at least"),
        ({"sessions": [{"join": 5, "leave": 5}]}, "sessions[0]: expected 0 <= join < leave, found 5 and 5"),
        ({"sessions": [{"leave": 5}, {"join": 4}]}, "sessions[1].join: expected 5 or later"),
        ({"sessions": [{}, {"join": 4}]}, "sessions[1].join: the session before it has no end"),
        ({"sessions": [{"by_word": 1}]}, "sessions[0].by_word: expected true or false, found 1"),
        ({"seed": "1"}, "seed: expected a whole number, found '1'"),
        ({"fetch": None}, "fetch: expected true or false, found None"),
    ],
)
def test_error_names_the_key(wrong: dict[str, Any], expected: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        read_description(json.dumps(LEAST | wrong))
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[]", r"expected an object, found \[\]"),
        ('{"address": "198.18.0.3:1"}', "overlay: missing"),
        ('{"overlay": "a", "overlay": "b"}', "overlay: this key is there twice"),
    ],
)
def test_what_is_no_description_is_refused(text: str, expected: str) -> None:
    with pytest.raises(DescriptionError, match=expected):
        read_description(text)


def test_role_and_parameters_are_those_of_the_overlay() -> None:
    with pytest.raises(DescriptionError, match="role: expected node, found 'king'"):
        parameters_for(read_description(json.dumps(LEAST | {"role": "king"})), LINE)
    described = read_description(json.dumps(LEAST | {"role": "client"}))
    with pytest.raises(DescriptionError, match="known: a client has to know 1 address at least"):
        parameters_for(described, overlay_named("napster"))
    wrong = LEAST | {"parameters": {"patience": None}}
    with pytest.raises(DescriptionError, match=r"parameters\.patience: expected a number, found None"):
        parameters_for(read_description(json.dumps(wrong)), LINE)


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_overlay_takes_its_default_parameters(name: str) -> None:
    overlay = overlay_named(name)
    for role in overlay.roles:
        attack = {} if overlay.roles[role].least_targets is None else {"targets": ["a song"]}
        least = {"overlay": name, "role": role, "known": [LEAST["address"]], "attack": attack}
        parameters_for(read_description(json.dumps(LEAST | least)), overlay)


def test_attackers_alone_are_told_of_targets() -> None:
    attack = {"targets": ["a song"], "attackers": ["198.18.0.3:6346"]}
    described = read_description(json.dumps(LEAST | {"attack": attack}))
    assert described.attack == Attack(("a song",), (Address("198.18.0.3", 6346),))
    with pytest.raises(DescriptionError, match="attack: a node attacks nobody"):
        parameters_for(described, LINE)
    sybil = read_description(json.dumps(LEAST | {"overlay": "kademlia", "role": "sybil"}))
    with pytest.raises(DescriptionError, match=r"attack\.targets: a sybil has to be told of 1 at least"):
        parameters_for(sybil, overlay_named("kademlia"))
