"""Ways through the space of ids: from the nodes that we know to those closest to an id, and what is done there."""
