"""Features of this kernel, tested by using them in the current network namespace.

Call these inside a sandbox only: each feature is created once, and removed again.
"""

import errno
from functools import cache

from testbed.network.kernel.messages import LOOPBACK_INDEX, delete_link, new_link_of_kind
from testbed.network.kernel.netlink import Message, NetlinkError, NetlinkSocket
from testbed.network.links.shaping import probe_filter, probe_qdisc

_PROBE_INDEX = 400


@cache
def has_qdisc(kind: str) -> bool:
    """Return whether the kernel has a queueing discipline."""
    return _works(*probe_qdisc(kind, LOOPBACK_INDEX))


@cache
def has_filter(kind: str) -> bool:
    """Return whether the kernel has a kind of packet filter."""
    add_qdisc, remove_qdisc = probe_qdisc("htb", LOOPBACK_INDEX, configured=True)
    add_filter = probe_filter(kind, LOOPBACK_INDEX)
    with NetlinkSocket() as netlink:
        netlink.send([add_qdisc])
        try:
            return _accepted(netlink, add_filter)
        finally:
            netlink.send([remove_qdisc])


@cache
def has_link(kind: str) -> bool:
    """Return whether the kernel has a kind of interface."""
    return _works(new_link_of_kind(kind, "probe", _PROBE_INDEX), delete_link(_PROBE_INDEX))


def _works(add: Message, remove: Message) -> bool:
    with NetlinkSocket() as netlink:
        try:
            netlink.send([add])
        except NetlinkError as error:
            return _is_known(error)
        netlink.send([remove])
        return True


def _accepted(netlink: NetlinkSocket, message: Message) -> bool:
    try:
        netlink.send([message])
    except NetlinkError as error:
        return _is_known(error)
    return True


def _is_known(error: NetlinkError) -> bool:
    """A known kind refuses empty options; an unknown one is not found, or not supported."""
    return error.errno not in {errno.ENOENT, errno.EOPNOTSUPP}
