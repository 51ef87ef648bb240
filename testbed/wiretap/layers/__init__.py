"""Layers for scapy: the peer wire, and trackers over HTTP and UDP. Importing this registers them.

    from scapy.all import *
    from testbed.wiretap.layers import *

    for packet in sniff(offline="capture.pcap", session=TCPSession):    # whole messages
        if Have in packet: ...

    rdpcap("capture.pcap")                                              # packet by packet

scapy is licensed under GPL-2.0-only. No other package of the testbed imports it, or this one.
"""

from testbed.wiretap.layers.answers import AnnounceAnswer, FailureAnswer, ScrapeAnswer
from testbed.wiretap.layers.extensions import (
    ExtensionHandshake,
    MetadataData,
    MetadataReject,
    MetadataRequest,
    PeerExchange,
)
from testbed.wiretap.layers.http import HttpAnnounce, HttpAnswer, HttpScrape, TrackerHTTP
from testbed.wiretap.layers.messages import (
    AllowedFast,
    Bitfield,
    Cancel,
    Choke,
    Extended,
    Handshake,
    Have,
    HaveAll,
    HaveNone,
    Interested,
    KeepAlive,
    NotInterested,
    OtherMessage,
    PeerWireMessage,
    Piece,
    Port,
    RejectRequest,
    Request,
    SuggestPiece,
    Unchoke,
)
from testbed.wiretap.layers.peerwire import PeerWire
from testbed.wiretap.layers.ports import bind_peer_port, bind_tracker_port, register
from testbed.wiretap.layers.udp import (
    UdpAnnounce,
    UdpAnnounceAnswer,
    UdpConnect,
    UdpConnectAnswer,
    UdpError,
    UdpScrape,
    UdpScrapeAnswer,
)

__all__ = [
    "AllowedFast",
    "AnnounceAnswer",
    "Bitfield",
    "Cancel",
    "Choke",
    "Extended",
    "ExtensionHandshake",
    "FailureAnswer",
    "Handshake",
    "Have",
    "HaveAll",
    "HaveNone",
    "HttpAnnounce",
    "HttpAnswer",
    "HttpScrape",
    "Interested",
    "KeepAlive",
    "MetadataData",
    "MetadataReject",
    "MetadataRequest",
    "NotInterested",
    "OtherMessage",
    "PeerExchange",
    "PeerWire",
    "PeerWireMessage",
    "Piece",
    "Port",
    "RejectRequest",
    "Request",
    "ScrapeAnswer",
    "SuggestPiece",
    "TrackerHTTP",
    "UdpAnnounce",
    "UdpAnnounceAnswer",
    "UdpConnect",
    "UdpConnectAnswer",
    "UdpError",
    "UdpScrape",
    "UdpScrapeAnswer",
    "Unchoke",
    "bind_peer_port",
    "bind_tracker_port",
]

register()
