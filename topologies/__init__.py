"""Mininet topologies: usable from the testbed and with `mn --custom`."""
