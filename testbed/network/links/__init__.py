"""The shape of one direction of a link, and the queueing disciplines that make it."""
