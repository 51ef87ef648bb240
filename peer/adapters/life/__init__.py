"""The life of somebody else's program: prepared, started, watched, recorded, and ended."""
