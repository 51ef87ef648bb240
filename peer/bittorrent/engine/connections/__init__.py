"""Who is connected, and under which of our identities."""
