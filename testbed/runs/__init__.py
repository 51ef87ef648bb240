"""All trials of a plan."""
