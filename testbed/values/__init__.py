"""The values of experiment files (quantities, ranges, links, arrivals), and how random ones are drawn."""
