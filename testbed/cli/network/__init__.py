"""Commands that need no trials: build a network, measure its links, and open shells on its hosts."""
