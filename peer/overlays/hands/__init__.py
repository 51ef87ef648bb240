"""What runs a node on a host: sockets, timers and the trace. Messages become bytes here, and bytes messages.

Nothing here decides. A node that raises is a bug, which ends the program.
"""
