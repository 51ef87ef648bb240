"""The hands of the mind: the only place with sockets, files, timers and an event loop."""
