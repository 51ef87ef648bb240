"""Other people's BitTorrent clients, run as our own programs are: started, watched, traced, and ended in order."""
