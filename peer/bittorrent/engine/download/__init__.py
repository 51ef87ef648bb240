"""What to request from whom, and what becomes of blocks that arrive."""
