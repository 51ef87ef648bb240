"""The task `find`: the hosts of an overlay look for content, and find out who has it."""
