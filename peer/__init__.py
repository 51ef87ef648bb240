"""Programs that hosts run; knows nothing of the testbed."""
