"""Nodes on hosts of an emulated network: they find each other's items, and one that is killed leaves a trace."""

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract.encoding import decode
from testbed.network import Network
from tests.peer.overlays.running import REPOSITORY, SEARCH, searching
from tests.peer.overlays.toys import BOTH, SONG
from tests.peer.programs import events, named
from topologies.star import Star

pytestmark = pytest.mark.kernel
SHARER, SEEKER = "198.18.0.1:6346", "198.18.0.2:6346"


@pytest.mark.parametrize("overlay", BOTH.values(), ids=BOTH)
def test_nodes_on_hosts_find_each_other(overlay: str, on_network: Callable[..., Any], tmp_path: Path) -> None:
    described: dict[str, dict[str, Any]] = {
        "h1": {"address": SHARER, "items": [{"name": SONG.name}]},
        "h2": {"address": SEEKER, "known": [SHARER], "searches": [searching(0.2)]},
    }
    for name, each in described.items():
        (tmp_path / name).write_text(json.dumps(each | {"overlay": overlay, "seed": 1}))

    def look(network: Network) -> list[int | None]:
        command = [sys.executable, "-m", "peer", "node", "--wait", "--trace"]
        environment = {"PYTHONPATH": str(REPOSITORY), "PATH": ""}
        nodes = [
            network.host(name).start([*command, tmp_path / f"{name}.jsonl", tmp_path / name], env=environment)
            for name in described
        ]
        for each in nodes:
            each.wait_ready("^waiting ")
        for each in nodes:
            each.send_signal(signal.SIGUSR1)
            each.wait_ready("^ready ")
        nodes[1].wait_ready("^completed$")
        nodes[0].send_signal(signal.SIGKILL)
        return [nodes[0].wait(10), nodes[1].stop()]

    assert on_network(Star(n=2, up=8_000_000), look) == [-signal.SIGKILL, 0]
    (answer,) = named(events(tmp_path / "h2.jsonl"), "answer_came")
    assert (answer["search"], answer["holder"]) == (SEARCH, SHARER)
    for line in (tmp_path / "h1.jsonl").read_bytes().splitlines()[1:]:
        decode(line)
