"""Messages added up: who talks to whom, who unchokes whom, and which pieces arrive."""
