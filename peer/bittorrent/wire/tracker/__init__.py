"""The tracker protocol, over HTTP and UDP."""
