"""Decisions of a client, each a small object: what it gives to whom, asks for, says, wishes, and when it leaves."""
