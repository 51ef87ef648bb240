"""How peers are found: trackers, peer exchange, and known addresses."""
