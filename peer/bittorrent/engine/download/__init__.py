"""What to request from which neighbour, and what to do with the blocks that come."""
