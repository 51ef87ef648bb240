"""Captures of packets, read: connections, and the messages of the peer wire and of trackers in them."""
