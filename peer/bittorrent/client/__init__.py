"""The client: sockets, files, timers and the event loop around the engine."""
