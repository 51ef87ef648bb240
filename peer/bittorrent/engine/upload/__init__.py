"""Whom to unchoke, which requests wait, and telling neighbours of new pieces."""
