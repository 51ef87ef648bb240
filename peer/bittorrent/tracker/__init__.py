"""A tracker: who is in the swarm (registry.py, pure), asked over HTTP and UDP (http.py, udp.py, server.py)."""
