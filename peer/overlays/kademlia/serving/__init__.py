"""What a node does for others: it tells whom it knows, and keeps the peers of keys that are near to it."""
