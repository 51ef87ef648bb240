"""`testbed serve`: the pages of runs over HTTP, which change while trials end.

Two kinds of processes share the work. The server (`app`, `watching`, `server`) answers browsers, and touches no run
folder. A `reader` looks into the folders, and makes what the pages show; it has the lowest priority that the machine
knows, since a trial may be running beside it. A run folder is only ever read.
"""
