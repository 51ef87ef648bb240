"""The keys of experiment files."""
