"""Commands about the runs that there are: list them, open one, remove what is no longer needed."""
