"""The plan of an overlay: its hosts, their lives, what they have, and what they look for."""
