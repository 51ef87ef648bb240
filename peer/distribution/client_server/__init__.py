"""Client-server over HTTP: a server and a client of one file."""
