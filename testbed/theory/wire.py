"""How much of a link's rate is payload: rates count Ethernet frames, files count payload."""

from typing import Final

SEGMENT_PAYLOAD: Final = 1448
"""Bytes of payload in a full TCP segment with time stamps, at an MTU of 1500."""

FRAME_HEADERS: Final = 14 + 20 + 32
"""Ethernet, IPv4, and TCP with time stamps."""


def payload_share(segment_payload: int = SEGMENT_PAYLOAD) -> float:
    """Return the share of a rate that carries payload in full segments: 1448 bytes in a frame of 1514."""
    if segment_payload < 1:
        raise ValueError(f"a segment carries at least 1 byte of payload, not {segment_payload}")
    return segment_payload / (segment_payload + FRAME_HEADERS)
