"""Bytes to values and back, for all that a BitTorrent peer and tracker say: no I/O, no clock, no state of a swarm."""
