"""The experiment file, resolved into a plan; pure."""
