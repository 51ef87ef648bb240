"""What this kernel can do for a network, found out by trying it in the current network namespace."""

import errno
from functools import cache

from testbed.network.netlink import LOOPBACK_INDEX, NetlinkError, NetlinkSocket
from testbed.network.shaping import trial_qdisc


@cache
def has_qdisc(kind: str) -> bool:
    """Whether the kernel knows a queueing discipline; only to be asked inside a sandbox, since it makes one."""
    with NetlinkSocket() as netlink:
        add, remove = trial_qdisc(kind, LOOPBACK_INDEX)
        try:
            netlink.send([add])
        except NetlinkError as error:
            # A kind that is known refuses our empty options; one that is unknown is not found.
            return error.errno != errno.ENOENT
        netlink.send([remove])
        return True
