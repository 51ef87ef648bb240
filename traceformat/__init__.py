"""The events of a trace and how they are encoded: the contract between `peer` and `testbed`."""
