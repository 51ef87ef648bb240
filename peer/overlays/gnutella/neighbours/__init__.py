"""Who the neighbours are: whom to dial, whom to take, and as what."""
