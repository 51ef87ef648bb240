"""Finding a Mininet topology, and giving it its parameters."""
