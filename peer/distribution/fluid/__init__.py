"""The scheme that attains the peer-to-peer bound, with blocks over real sockets."""
