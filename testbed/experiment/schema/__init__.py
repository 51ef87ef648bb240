"""What an experiment file can say."""
