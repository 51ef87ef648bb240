"""Which neighbours to unchoke, and which requests wait."""
