"""What an experiment file says of a distribution."""
