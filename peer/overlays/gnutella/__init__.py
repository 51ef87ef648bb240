"""Gnutella: servents ask their neighbours, who ask theirs.

Searches are flooded, as in 0.4; or ultrapeers ask for their leaves, with route tables and dynamic queries, as in 0.6;
or walkers look for the answer at random. KaZaA's rules can be put on top.
"""
