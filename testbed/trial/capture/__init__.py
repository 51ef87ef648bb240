"""Captures of packets during a trial."""
