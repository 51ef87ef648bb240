"""What the hosts of an experiment do."""
