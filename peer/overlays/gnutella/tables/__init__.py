"""Query routing: which words a neighbour may have, as a table of bits."""
