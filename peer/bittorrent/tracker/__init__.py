"""A tracker: the members of each swarm (registry.py, pure), asked over HTTP and UDP (http.py, udp.py, server.py)."""
