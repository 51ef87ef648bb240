"""Each overlay that comes with the testbed runs on real sockets: a node finds what another one shares."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from peer.overlays.registry import OVERLAYS
from tests.peer.overlays.running import SEARCH, free_address, node, searching
from tests.peer.overlays.toys import SONG
from tests.peer.programs import Program, events, events_so_far, named, wait_until

QUICK: Final[dict[str, dict[str, Any]]] = {
    "chord": {"stabilise_every": 0.1, "fix_fingers_every": 0.3, "check_predecessor_every": 0.5},
    "gnutella": {"search": {"silence": 1.0}},
}
"""Parameters of those whose defaults are for rings of hours."""
FIRST: Final = {"napster": "directory"}
OTHERS: Final = {"napster": "client"}
"""The roles where not all nodes are equal."""


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_node_finds_what_another_shares(overlay: str, tmp_path: Path) -> None:
    addresses = [free_address(f"127.0.0.{number}") for number in range(1, 6)]
    traces = [tmp_path / f"{number}.jsonl" for number in range(5)]
    common = {"parameters": QUICK.get(overlay, {})}
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
    assert [named(events(trace), "node_erred") for trace in traces[:4]] == [[]] * 4
