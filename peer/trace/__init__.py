"""Recording trace events in a file."""
