"""What is said in streams and datagrams: the peer wire, HTTP and UDP trackers."""
