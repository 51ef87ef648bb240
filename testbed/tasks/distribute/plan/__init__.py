"""The plan of a distribution: its hosts, its bounds, and what it is likely to take."""
