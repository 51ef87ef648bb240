"""All tables of a run."""
