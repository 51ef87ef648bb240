"""Bencoding, which torrents, trackers, extension messages and the DHT have in common."""
