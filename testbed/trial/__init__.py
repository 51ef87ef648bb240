"""One trial in time order."""
