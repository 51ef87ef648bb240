"""The mind of one client: no sockets, no files, no clock; `now` and the random source are passed in."""
