"""The payload audit: whether the links carried what the applications say they received.

It is a check on the applications and on the counters. The verdict on a trial looks at the machine only.
"""

from typing import Final

import numpy as np

from testbed.runfolder.trial_data import TrialData
from testbed.tasks.distribute.trials import hosts_of
from testbed.theory.wire import SEGMENT_PAYLOAD

AGREES: Final = "ok"
LEAST_DIFFERENCE: Final = -0.01
MOST_DIFFERENCE: Final = 0.15
"""The range of the share by which the links' streams can exceed the payload that applications counted. Messages and
unfinished blocks make it positive; below zero, bytes would have been counted that no link carried. What downlinks
dropped comes in addition: an uplink had carried it, and carried it again."""


def payload_received(data: TrialData) -> int:
    """Return the payload that applications received; what they sent may have waited in a kernel until the end."""
    return sum(trace.received for trace in data.traces.values())


def stream_bytes(data: TrialData) -> float:
    """Return what TCP carried on the uplinks of servers and peers."""
    return data.counters.stream_bytes(
        host.name for host in (*hosts_of(data.trial).servers, *hosts_of(data.trial).peers)
    )


def payload_difference(data: TrialData) -> float:
    """Return by which share of the payload the streams on the uplinks exceed it; nan without payload."""
    payload = payload_received(data)
    return (stream_bytes(data) - payload) / payload if payload else np.nan


def payload_audit(data: TrialData) -> str:
    """Return `ok`, or what does not agree; nothing where there was no payload."""
    difference = payload_difference(data)
    if np.isnan(difference):
        return ""
    dropped = float(np.nansum([data.counters.last(peer.name, "down_drops") for peer in hosts_of(data.trial).peers]))
    sent_again = dropped * SEGMENT_PAYLOAD / payload_received(data)
    if LEAST_DIFFERENCE <= difference <= MOST_DIFFERENCE + sent_again:
        return AGREES
    return f"the links carried {difference:+.1%} of the payload that the applications counted"
