"""Packet captures read back as peer-wire messages."""
