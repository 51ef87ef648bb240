"""Programs that distribute a file."""
