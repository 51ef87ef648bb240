"""Torrents and magnet links, and the bencoding in which they are written."""
