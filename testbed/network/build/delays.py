"""Delay, jitter and loss of a whole network: by the kernel's netem, or by a delay box in each core.

netem is one of the queueing disciplines of a link's end (`testbed.network.links.shaping`). Where the kernel has none,
each routed core gets a delay box, and every packet that arrives from a link passes through it before it is forwarded:

    rule 100  from lo      -> main      the core's own packets skip the box
    rule 101  from delay0  -> main      so do packets that come out of it: they go to their link
    rule 102               -> 100       all others enter it
    table 100              default dev delay0; unreachable if the box is gone: never an undelayed link

A core's box delays a packet by the uplink of its source, if that is one of the core's own hosts, and by the downlink of
its destination, or by the trunk towards it. So each link that a packet crosses delays it once.
"""

import socket
from ipaddress import IPv4Network
from typing import Final

from testbed.network.build.fabric import Fabric, core_ends
from testbed.network.build.nodes import (
    BridgeCore,
    Core,
    EmulatedHost,
    NodeError,
)
from testbed.network.delaybox import DelayBox, Table
from testbed.network.kernel.messages import (
    RT_TABLE_MAIN,
    new_route,
    new_rule,
    new_unreachable_route,
)
from testbed.network.kernel.netlink import NetlinkSocket
from testbed.network.links.shape import Impairment

_DEVICE: Final = "delay0"
_TABLE: Final = 100
_EVERYTHING: Final = IPv4Network("0.0.0.0/0")


def start_delay_boxes(fabric: Fabric, seed: int) -> list[DelayBox]:
    """Start a box in each core that has something to delay."""
    boxes: list[DelayBox] = []
    try:
        for number, core in enumerate(fabric.cores):
            table = delay_table(fabric, core)
            if any(up or down for up, down in table.values()):
                boxes.append(_start(core, table, seed + number))
    except BaseException:
        stop_delay_boxes(boxes)
        raise
    return boxes


def stop_delay_boxes(boxes: list[DelayBox]) -> None:
    """Stop the boxes; packets that they still hold are lost."""
    for box in boxes:
        box.kill()


def delay_table(fabric: Fabric, core: Core) -> Table:
    """Return the impairments of each address in the box of a core: as a source, and as a destination."""
    table: dict[str, tuple[Impairment, Impairment]] = {}
    for end in core_ends(core):
        home = end.peer.home
        if isinstance(home, EmulatedHost):
            table[str(home.address)] = (home.access.shape.impairment, end.shape.impairment)
    for (trunk, _core), addresses in fabric.beyond(core).items():
        for address in addresses:
            table[str(address)] = (Impairment(), trunk.shape.impairment)
    return table


def _start(core: Core, table: Table, seed: int) -> DelayBox:
    if isinstance(core, BridgeCore):
        raise NodeError(
            f"{core.name}: this kernel has no netem (CONFIG_NET_SCH_NETEM), and without it a bridge cannot delay or "
            "lose packets; a core with forwarding='route' can"
        )
    with core.inside(), NetlinkSocket() as netlink:
        box = DelayBox.start(table, seed, interface=_DEVICE)
        netlink.send(
            [
                new_rule(100, RT_TABLE_MAIN, "lo"),
                new_rule(101, RT_TABLE_MAIN, _DEVICE),
                new_rule(102, _TABLE),
                new_route(_EVERYTHING, socket.if_nametoindex(_DEVICE), table=_TABLE),
                new_unreachable_route(_TABLE),
            ]
        )
    return box
