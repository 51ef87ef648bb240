"""The BitTorrent protocol, bytes to values and back: no I/O, no clock, no state of a swarm."""
