"""The keys that an experiment file has for a distribution, and their checks."""
