"""Nodes of overlays on real sockets: what they decide is done."""
