"""Captures of packets, read: connections, and the messages of the peer wire and of trackers in them."""

from testbed.wiretap.reading import Reading, read_capture

__all__ = ["Reading", "read_capture"]
