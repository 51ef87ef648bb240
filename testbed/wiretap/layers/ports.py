"""On which ports scapy looks for what; connections on other ports are known by their first bytes.

The testbed's peers listen on 6881, libtorrent's on 6881 to 6889, and both kinds of tracker on 6969.
"""

from typing import Final

from scapy.config import conf
from scapy.layers.inet import TCP, UDP
from scapy.packet import Packet, bind_top_down

from testbed.wiretap.layers.http import TrackerHTTP
from testbed.wiretap.layers.peerwire import PeerWire
from testbed.wiretap.layers.streams import PeerWireStream, TrackerStream, UnclaimedStream
from testbed.wiretap.layers.udp import ANSWERS, REQUESTS, UdpTrackerAnswer, UdpTrackerRequest

PEER_PORTS: Final = range(6881, 6890)
TRACKER_PORT: Final = 6969


def bind_peer_port(port: int) -> None:
    """Take TCP segments from or to this port for the peer wire, even if the connection's beginning was not captured."""
    _bind_first(TCP, PeerWireStream, dport=port)
    _bind_first(TCP, PeerWireStream, sport=port)


def bind_tracker_port(port: int) -> None:
    """Take what comes from or goes to this port, over TCP and UDP, for a tracker's."""
    _bind_first(TCP, TrackerStream, sport=port)
    _bind_first(TCP, TrackerStream, dport=port)
    _bind_first(UDP, UdpTrackerAnswer, sport=port)
    _bind_first(UDP, UdpTrackerRequest, dport=port)


def register() -> None:
    """Make scapy use the layers."""
    for port in PEER_PORTS:
        bind_peer_port(port)
    bind_tracker_port(TRACKER_PORT)
    bind_top_down(TCP, PeerWire, dport=PEER_PORTS[0])
    bind_top_down(TCP, TrackerHTTP, dport=TRACKER_PORT)
    for request, _ in REQUESTS.values():
        bind_top_down(UDP, request, dport=TRACKER_PORT)
    for answer, _ in ANSWERS.values():
        bind_top_down(UDP, answer, sport=TRACKER_PORT)
    _take_unclaimed()


def _bind_first(lower: type[Packet], upper: type[Packet], **port: int) -> None:
    """Bind, before what else is bound to that port."""
    lower.payload_guess = [(port, upper), *lower.payload_guess]


def _take_unclaimed() -> None:
    """Look at TCP segments for which scapy has no layer."""
    usual = TCP.default_payload_class

    def default_payload_class(self: Packet, payload: bytes) -> type[Packet]:
        found = usual(self, payload)
        return UnclaimedStream if found is conf.raw_layer else found

    TCP.default_payload_class = default_payload_class  # type: ignore[method-assign]
