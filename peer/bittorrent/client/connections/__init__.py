"""TCP connections to neighbours, in plaintext or encrypted, until they end."""
