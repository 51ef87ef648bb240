"""Chord (Stoica and others 2001, 2003): a ring of identifiers; each key belongs to the first node at or after it.

`ring` has the arithmetic, `wire` the messages, `table` what a node knows of others, `lookup` and `routing` the two ways
to find whom a key belongs to, `upkeep` what keeps the ring together, `storing/` what is kept, `node` the
whole.
"""
