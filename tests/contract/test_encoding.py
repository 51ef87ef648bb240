"""A line holds its event exactly, in the same bytes each time, and docs/trace.md describes it."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from math import inf
from pathlib import Path
from random import Random
from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.encoding import (
    EVENTS,
    decode,
    decode_header,
    encode,
    encode_header,
)
from contract.events import (
    Announced,
    BlockMoved,
    Choked,
    Connected,
    DialFailed,
    Joined,
    Level,
    Moved,
    TraceEvent,
    Unchoked,
)
from contract.overlay_events import Spent
from peer import OUR_VERSION
from peer.bittorrent.client.program import describe_setup
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.strategies.parts.chokers import RECIPROCATES
from peer.simulation.swarm import VirtualSwarm, virtual_torrent

DOC = Path(__file__).parents[2] / "docs" / "trace.md"

NUMBERS = st.integers(0, 2**53)
VALUES: dict[object, st.SearchStrategy[Any]] = {
    int: NUMBERS,
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    str: st.text(),
    tuple[int, ...]: st.lists(NUMBERS, max_size=5).map(tuple),
    tuple[str, ...]: st.lists(st.text(), max_size=5).map(tuple),
    tuple[tuple[int, int, int], ...]: st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=5).map(tuple),
    tuple[tuple[str, int, int], ...]: st.lists(st.tuples(st.text(), NUMBERS, NUMBERS), max_size=5).map(tuple),
}
TYPE_NAMES = {
    int: "integer",
    float: "number",
    bool: "truth",
    str: "text",
    tuple[int, ...]: "integers",
    tuple[str, ...]: "texts",
    tuple[tuple[int, int, int], ...]: "triples",
    tuple[tuple[str, int, int], ...]: "costs",
}


def plain(hint: object) -> object:
    return next((arg for arg in get_args(hint) if NoneType in get_args(hint) and arg is not NoneType), hint)


def is_optional(hint: object) -> bool:
    return NoneType in get_args(hint)


def events_of(kind: type[TraceEvent]) -> st.SearchStrategy[TraceEvent]:
    hints = get_type_hints(kind)
    values = {each.name: VALUES[plain(hints[each.name])] for each in fields(kind)}
    return st.builds(
        kind, **{key: st.none() | value if is_optional(hints[key]) else value for key, value in values.items()}
    )


ANY_EVENT = st.one_of([events_of(kind) for kind in EVENTS.values()])


@given(ANY_EVENT, st.floats(0, 1e7))
def test_every_event_survives_the_round_trip(event: TraceEvent, now: float) -> None:
    line = encode(event, now)
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    t, read = decode(line)
    assert read == event
    assert t == pytest.approx(now, abs=6e-7)


@given(ANY_EVENT, st.randoms())
def test_spaces_and_order_of_keys_do_not_matter(event: TraceEvent, random: Random) -> None:
    entries = list(json.loads(encode(event, 1.5)).items())
    random.shuffle(entries)
    assert decode(json.dumps(dict(entries), separators=(" , ", " : ")).encode()) == (1.5, event)


@given(ANY_EVENT)
def test_a_line_is_what_json_would_write(event: TraceEvent) -> None:
    values = {each.name: getattr(event, each.name) for each in fields(event)}
    written = {key: value for key, value in values.items() if value is not None}
    expected = {"t": 1.5, "event": event.event} | written
    assert (
        encode(event, 1.5) == json.dumps(expected, separators=(",", ":")).replace("1.5", "1.500000", 1).encode() + b"\n"
    )


def test_every_class_of_event_has_a_name() -> None:
    assert set(EVENTS) == {kind.event for kind in TraceEvent.__subclasses__()}


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            Unchoked(3, by_us=True, reason="reciprocates"),
            b'{"t":12.345679,"event":"unchoked","neighbour":3,"by_us":true,"reason":"reciprocates"}\n',
        ),
        (
            BlockMoved(7, False, 2, 0, 9),
            b'{"t":12.345679,"event":"block","neighbour":7,"by_us":false,"index":2,"begin":0,"length":9,"is_needed":true}\n',
        ),
        (
            Moved(((1, 20, 0), (4, 0, 5))),
            b'{"t":12.345679,"event":"moved","bytes":[[1,20,0],[4,0,5]]}\n',
        ),
        (
            DialFailed("198.18.0.2:6881", 'it said "no"\n', None),
            b'{"t":12.345679,"event":"dial_failed","address":"198.18.0.2:6881","reason":"it said \\"no\\"\\n"}\n',
        ),
        (
            Spent((("", 2, 46), ("9f3c", 1, 6)), 3, 21, (("9f3c", 1, 8),)),
            b'{"t":12.345679,"event":"spent","sent":[["",2,46],["9f3c",1,6]],"messages_received":3,"bytes_received":21,"charged":[["9f3c",1,8]]}\n',
        ),
        (
            Choked(1, False, "\ud800\x00é"),
            b'{"t":12.345679,"event":"choked","neighbour":1,"by_us":false,"reason":"\\ud800\\u0000\\u00e9"}\n',
        ),
    ],
)
def test_lines_look_like_this(event: TraceEvent, line: bytes) -> None:
    assert encode(event, 12.3456789) == line


def test_field_with_a_default_may_be_omitted() -> None:
    line = b'{"t":1,"event":"block","neighbour":7,"by_us":false,"index":2,"begin":0,"length":9}'
    assert decode(line) == (1.0, BlockMoved(7, False, 2, 0, 9, is_needed=True))


def test_an_infinite_time_is_null() -> None:
    line = encode(Announced("udp://t:1", 0, None, None, inf), 0)
    assert json.loads(line)["interval"] is None


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"[]", "expected an object"),
        (b'{"t":1,"event":"landed"}', "version 1 has no event 'landed'"),
        (b'{"event":"snubbed","neighbour":1}', "expected the time 't'"),
        (b'{"t":1,"event":"snubbed"}', "snubbed: unknown or missing neighbour"),
        (b'{"t":1,"event":"snubbed","neighbour":1,"mood":2}', "snubbed: unknown or missing mood"),
        (b'{"t":1,', "Expecting"),
    ],
)
def test_a_line_that_is_no_event_is_refused(line: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        decode(line)


def test_a_header_describes_the_client() -> None:
    profile = PROFILES["mainline"].scaled(10)
    entries = describe_setup(
        profile=profile, strategy="a:B", parameters={"k": 1}, seed=5, program="peer 1", time_scale=10
    )
    line = encode_header(2.5, 1e9 + 0.25, entries)
    assert line.startswith(b'{"t":2.5,"event":"trace","version":1,"unix":1000000000.25,"program":"peer 1",')
    read = decode_header(line)
    assert {field.name for field in fields(profile)} == set(read["profile"])
    assert read["profile"]["rechoke_period"] == 0.5
    assert read["profile"]["all_slots"]["factor"] == 0.6


@pytest.mark.parametrize("line", [encode(Joined("p", "h", 1), 0), b'{"event":"trace","version":2}'])
def test_a_header_of_another_version_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="expected the header"):
        decode_header(line)


def test_the_document_has_exactly_the_events() -> None:
    documented = [*_documented("## Events"), *_documented("## Events of overlays")]
    expected = [
        (kind.event, kind.level.name.lower(), each.name, _type_name(get_type_hints(kind)[each.name]))
        for kind in EVENTS.values()
        for each in fields(kind)
    ]
    assert documented == expected


def test_the_document_has_the_header_and_levels() -> None:
    entries = describe_setup(profile=PROFILES["bep3"], strategy="", parameters={}, seed=0, program="", time_scale=1)
    header = decode_header(encode_header(0, 0, entries))
    assert [row[0].strip("`") for row in _table("## The header")] == [
        key for key in header if key not in {"t", "event"}
    ]
    assert [row[0].strip("`") for row in _table("## Levels")] == [level.name.lower() for level in Level]


def test_the_lines_of_the_document_are_events() -> None:
    header, *lines = re.findall(r"^    (\{.*\})$", DOC.read_text(), re.MULTILINE)
    written = decode_header(header.replace("{...}", "{}").encode())
    assert list(written) == ["t", "event", *(row[0].strip("`") for row in _table("## The header"))]
    assert written["program"] == OUR_VERSION
    read = [decode(line.encode()) for line in lines]
    assert [encode(event, t).decode() for t, event in read] == [f"{line}\n" for line in lines]
    reasons = [event.reason for _, event in read if isinstance(event, Unchoked)]
    assert reasons == [None, RECIPROCATES]


def test_each_life_numbers_its_connections_from_one() -> None:
    """As docs/trace.md says of `joined` and `neighbour`."""
    swarm = VirtualSwarm(virtual_torrent(40))
    swarm.add("seed", up=256 << 10, is_seed=True)
    traveller = swarm.add("traveller", up=64 << 10, departure="at 50 % for 5 s")
    swarm.run(60)
    lives = list(traveller.events_of(Joined))
    assert [len(bytes.fromhex(joined.peer_id)) for joined in lives] == [20, 20]
    assert [connected.neighbour for connected in traveller.events_of(Connected)].count(1) == len(lives)


def _documented(heading: str) -> Iterator[tuple[str, str, str, str]]:
    event = level = ""
    for first, second, field, kind, what in _table(heading):
        if first:
            event, level = first.strip("`"), second
            assert what
        else:
            yield event, level, field.strip("`"), kind


def _table(heading: str) -> list[list[str]]:
    """Return the rows of the first table below a heading."""
    section = DOC.read_text().split(f"{heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^(?:\|.*\n)+", section, re.MULTILINE)[0].splitlines()
    return [[cell.strip() for cell in row[1:-1].split("|")] for row in rows[2:]]


def _type_name(hint: object) -> str:
    return TYPE_NAMES[plain(hint)] + ("?" if is_optional(hint) else "")  # type: ignore[index]
