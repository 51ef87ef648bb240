"""Bounds that measured times are compared with, and the scheme that attains them; pure."""

from testbed.theory.bounds import (
    Bound,
    Downloader,
    Swarm,
    Term,
    client_server_bound,
    p2p_bound,
)
from testbed.theory.fluid import (
    FluidRates,
    LinkLoads,
    fluid_rates,
    link_loads,
)
from testbed.theory.models import chunked_seconds
from testbed.theory.wire import SEGMENT_PAYLOAD, payload_share

__all__ = [
    "SEGMENT_PAYLOAD",
    "Bound",
    "Downloader",
    "FluidRates",
    "LinkLoads",
    "Swarm",
    "Term",
    "chunked_seconds",
    "client_server_bound",
    "fluid_rates",
    "link_loads",
    "p2p_bound",
    "payload_share",
]
