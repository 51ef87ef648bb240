"""What `testbed` and `peer` agree on: the events of a trace, their encoding, and the words of the command line."""
