"""What becomes of messages that pass: where they came from, where they go, and what is remembered of them."""
