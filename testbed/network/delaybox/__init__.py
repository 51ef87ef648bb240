"""Delay, jitter and loss for a kernel without netem: a small compiled helper behind one TUN device in the core.

It does not limit rates; the kernel's qdiscs do, at both ends of each host's link. The box adds delay and loss in
between, counted from a packet's arrival at the core:

    host A --veth--> core --route--> delay0 --> helper: A's up, B's down --> delay0 --> core --veth--> host B
           HTB: A's up-rate                                                         HTB: B's down-rate

The core is a network namespace that routes. Its builder routes packets from the hosts into the device, and packets that
come back out of it to the hosts (the core's own packets, `iif lo`, skip the box):

    ip rule add priority 100 iif lo lookup main
    ip rule add priority 101 iif delay0 lookup main           # the /32 routes to the hosts
    ip rule add priority 102 lookup 100
    ip route add default dev delay0 table 100                 # after DelayBox.start, which creates delay0
    ip route add unreachable default metric 1000 table 100    # no box, no traffic: never an undelayed link

    net.ipv4.ip_forward = 1, and rp_filter = 0 for `all` and the hosts' links

A packet is routed twice, so its time-to-live falls by two.

Impairments have netem's meaning: each direction draws on its own; jitter is uniform in +-jitter, a delay is never
below zero, and packets may overtake each other; each packet is lost independently. A packet whose source or destination
is not in the table skips that half.

Where any direction is random (jitter or loss), the kernel cuts TCP's super-packets into wire packets before
they reach the box, so that each draws for itself, as on a wire; netem would draw once a super-packet. Where
all is pure delay they pass whole, which saves processor time. The n-th packet of a direction draws the same
numbers in every run with the same seed, whatever the other links carry.
"""

from testbed.network.delaybox.box import MEMORY_BYTES, PROGRAM, DelayBox
from testbed.network.delaybox.errors import DelayBoxError
from testbed.network.delaybox.statistics import DelayBoxStats, Lateness
from testbed.network.delaybox.table import Table
from testbed.network.links.shape import Impairment

__all__ = ["MEMORY_BYTES", "PROGRAM", "DelayBox", "DelayBoxError", "DelayBoxStats", "Impairment", "Lateness", "Table"]
