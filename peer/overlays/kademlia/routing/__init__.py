"""The nodes that a node knows, in buckets: many that are near to it, few that are far."""
