"""Captures of real swarms: our peer, libtorrent and Transmission, in one emulated network, seen from each host."""

from collections.abc import Sequence
from pathlib import Path

from testbed.network import EmulatedHost, Network
from testbed.trial.capture.capture import capturing
from testbed.trial.capture.instructions import everything
from testbed.trial.capture.orders import Place
from testbed.trial.capture.program import Order
from testbed.values.captures import WHOLE, ring_bytes
from tests.peer.bittorrent.conformance.swarms import (
    RunningSwarm,
    Swarm,
    run_to_the_end,
    start_trackers,
)
from topologies.star import Star

TRACKER_MEGABITS = 100


def capture_swarms(swarms: Sequence[Swarm], folder: Path) -> dict[str, list[Path]]:
    """Run all swarms at once; return the capture of each host of each swarm, in the order in which they started."""
    megabits = [TRACKER_MEGABITS] * 2 + [swarm.megabits for swarm in swarms for _ in range(swarm.size)]
    rates = [each * 1_000_000 for each in megabits]
    with Network(Star(n=len(rates), up=rates, down=rates), output=folder / "trackers") as network:
        our_host, their_host, *hosts = network.hosts
        trackers = start_trackers(our_host, their_host, swarms, folder)
        spare = iter(hosts)
        running = [RunningSwarm(swarm, trackers[swarm.tracker], spare, folder / swarm.name) for swarm in swarms]
        with capturing(network, [everything_at(host, len(hosts), folder) for host in hosts], folder):
            run_to_the_end(running)
    return {each.swarm.name: [folder / f"{start.host.name}.pcapng" for start in each.started] for each in running}


def everything_at(host: EmulatedHost, places: int, folder: Path) -> Place:
    """Capture all packets of a host, whole."""
    order = Order(
        base=str(folder / host.name),
        interfaces={host.access.name: ""},
        is_core=False,
        program=everything(WHOLE).hex(),
        filter="",
        snaplen=WHOLE,
        limit=None,
        count=1,
        ring=ring_bytes(places),
        quiet=0.3,
        comment="",
        names={},
        software="",
        system="",
    )
    return Place(host, order)
