"""Each overlay that comes with the testbed runs on real sockets: a node finds what another one shares."""

import socket
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from peer.net.address import Address
from peer.overlays.overlay import DatagramOverlay
from peer.overlays.registry import OVERLAYS, overlay_named
from tests.peer.overlays.running import SEARCH, free_address, node, searching
from tests.peer.overlays.toys import SONG
from tests.peer.programs import SOON, Program, events, events_so_far, named, wait_until

QUICK: Final[dict[str, dict[str, Any]]] = {
    "chord": {"stabilise_every": 0.1, "fix_fingers_every": 0.3, "check_predecessor_every": 0.5},
    "gnutella": {"search": {"silence": 1.0}},
    "keywords": {"ring": {"stabilise_every": 0.1, "fix_fingers_every": 0.3, "check_predecessor_every": 0.5}},
}
"""Parameters of those whose defaults are for rings of hours."""
FIRST: Final = {"napster": "directory"}
OTHERS: Final = {"napster": "client"}
"""The roles where not all nodes are equal."""
CHARGES: Final = {"kademlia", "napster"}
"""Those whose answers do not name the search, so that the node that asked counts them."""


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_node_finds_what_another_shares(overlay: str, tmp_path: Path) -> None:
    addresses = [free_address(f"127.0.0.{number}") for number in range(1, 6)]
    traces = [tmp_path / f"{number}.jsonl" for number in range(5)]
    common = {"parameters": QUICK.get(overlay, {}), "followed": [SEARCH]}
    with ExitStack() as undo:

        def start(number: int, **described: Any) -> Program:
            role = (OTHERS if number else FIRST).get(overlay, "node")
            known = addresses[:1] if number else []
            described = common | described | {"role": role, "known": known, "address": addresses[number]}
            return undo.enter_context(node(tmp_path, overlay, "--trace", traces[number], **described)).ready()

        programs = [start(0), start(1), start(2), start(3, items=[{"name": SONG.name, "size": SONG.size}])]
        wait_until(lambda: all(named(events_so_far(trace), "node_joined") for trace in traces[:4]))
        programs.append(start(4, searches=[searching(2.0)]))
        assert programs[-1].line() == "completed"
        # The first is the one whom others know, so it ends last.
        assert [(program.end(), program.errors()) for program in reversed(programs)] == [(0, "")] * 5
    (ended,) = named(events(traces[4]), "search_ended")
    assert (ended["search"], ended["outcome"]) == (SEARCH, "found")
    assert {line["holder"].partition(":")[0] for line in named(events(traces[4]), "answer_came")} == {"127.0.0.4"}
    charged = {search for line in named(events(traces[4]), "spent") for search, _, _ in line["charged"]}
    assert charged == ({SEARCH} if overlay in CHARGES else set())
    assert [named(events(trace), "node_erred") for trace in traces[:4]] == [[]] * 4
    assert messages_told(traces) == messages_counted(traces)


def messages_told(traces: list[Path]) -> int:
    """Return how many messages of the search traces tell of one by one."""
    kinds = ("message_sent", "message_came")
    return sum(line["search"] == SEARCH for trace in traces for kind in kinds for line in named(events(trace), kind))


def messages_counted(traces: list[Path]) -> int:
    """Return how many messages the search cost."""
    lines = [line for trace in traces for line in named(events(trace), "spent")]
    rows = [row for line in lines for row in (*line["sent"], *line["charged"])]
    return sum(messages for search, messages, _ in rows if search == SEARCH)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_random_bytes_are_survived(overlay: str, tmp_path: Path) -> None:
    rng = Random(1)
    inputs = [rng.randbytes(rng.randrange(1, 1_400)) for _ in range(100)]
    trace = tmp_path / "trace.jsonl"
    with node(tmp_path, overlay, "--trace", trace, role=FIRST.get(overlay, "node")) as one:
        address = Address("127.0.0.1", one.ready().port)
        for data in (*inputs, bytes(1_400), b"\xff" * 1_400, b"d" * 1_400, b"GNUTELLA CONNECT/0.6\r\n" * 60):
            if isinstance(overlay_named(overlay), DatagramOverlay):
                with socket.socket(type=socket.SOCK_DGRAM) as hostile:
                    hostile.sendto(data, address)
            else:
                with socket.create_connection(address, timeout=SOON) as hostile:
                    hostile.sendall(data)
        wait_until(lambda: sum(line["bytes_received"] for line in named(events_so_far(trace), "spent")) > 10_000)
        assert (one.end(), one.errors()) == (0, "")
