"""Our own searches, and those that an ultrapeer leads for its leaves."""
