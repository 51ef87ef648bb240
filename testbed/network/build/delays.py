"""Delay, jitter and loss of a whole network: by the kernel's netem, or by a delay box in each core.

netem is one of the queueing disciplines of a link's end (`testbed.network.links.shaping`). Where the kernel has none,
each core that routes gets a delay box, and every packet that arrives from a link passes it before it is routed on:

    rule 100  from lo      -> main      the core's own packets do not pass it
    rule 101  from delay0  -> main      nor those that come out of it: they are routed to their link
    rule 102               -> 100       all others
    table 100              default dev delay0; and nowhere, if the box is gone: never an undelayed link

In the box of a core, a packet's source pays for the way up if it is one of the core's own hosts, and its destination
for the way down, or for the trunk that leads to it. So a packet pays for every link that it crosses once.
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
    new_dead_end,
    new_route,
    new_rule,
)
from testbed.network.kernel.netlink import NetlinkSocket
from testbed.network.links.shape import Impairment

_DEVICE: Final = "delay0"
_TABLE: Final = 100
_EVERYTHING: Final = IPv4Network("0.0.0.0/0")


def start_delay_boxes(fabric: Fabric, seed: int) -> list[DelayBox]:
    """A running box in each core that has something to delay."""
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
    """End them; what they still hold is lost."""
    for box in boxes:
        box.kill()


def delay_table(fabric: Fabric, core: Core) -> Table:
    """What each address pays in the box of a core: as a source, and as a destination."""
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
                new_dead_end(_TABLE),
            ]
        )
    return box
