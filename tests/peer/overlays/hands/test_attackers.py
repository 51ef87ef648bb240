"""Attackers run on real sockets as other nodes do, and what they say is told to whoever asks."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.peer.overlays.running import free_address, node, searching
from tests.peer.overlays.toys import SONG
from tests.peer.programs import Program, events, events_so_far, named, wait_until


def test_a_node_is_told_of_all_attackers_beside_the_one_that_has_it(tmp_path: Path) -> None:
    addresses = [free_address(f"127.0.0.{number}") for number in range(1, 7)]
    traces = [tmp_path / f"{number}.jsonl" for number in range(6)]
    with ExitStack() as undo:

        def start(number: int, **described: Any) -> Program:
            described |= {"known": addresses[:1] if number else [], "address": addresses[number]}
            return undo.enter_context(node(tmp_path, "kademlia", "--trace", traces[number], **described)).ready()

        programs = [start(0), start(1, items=[{"name": SONG.name}])]
        for number, role in enumerate(("sybil", "poisoner", "pretender"), start=2):
            attack = {"targets": [SONG.name], "attackers": [addresses[number]]}
            programs.append(start(number, role=role, attack=attack, parameters={"lies": True} if number == 2 else {}))
        wait_until(lambda: all(named(events_so_far(trace), "node_joined") for trace in traces[:5]))
        programs.append(start(5, searches=[searching(1.0)]))
        assert programs[-1].line() == "completed"
        assert [(program.end(), program.errors()) for program in reversed(programs)] == [(0, "")] * 6
    told = {line["holder"].partition(":")[0] for line in named(events(traces[5]), "answer_came")}
    assert told == {f"127.0.0.{number}" for number in range(2, 6)}
