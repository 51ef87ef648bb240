"""The keys that an experiment file has for a search for content, and their checks."""
