"""What experiment files are made of: quantities, ranges, links, arrivals; and how values left to chance are drawn."""
