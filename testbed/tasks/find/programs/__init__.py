"""The programs of the task `find`."""
