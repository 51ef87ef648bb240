"""The rows that this task contributes to the tables of results."""
