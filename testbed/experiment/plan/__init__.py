"""From an experiment to its trials, with every value filled in."""
