"""The run folder, and the tables and figures built from it."""
