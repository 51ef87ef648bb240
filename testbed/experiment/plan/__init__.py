"""The trials of an experiment, with every value filled in."""
