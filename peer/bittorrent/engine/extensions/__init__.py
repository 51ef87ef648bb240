"""Extension messages (BEP 10), and the info dictionary by magnet link (BEP 9)."""
