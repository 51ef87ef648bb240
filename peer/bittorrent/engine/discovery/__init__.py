"""Where peers are found: trackers, peer exchange, and the addresses known so far."""
