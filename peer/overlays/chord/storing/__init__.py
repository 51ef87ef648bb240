"""Pairs: kept for others and moved (`keeping`), got (`getting`), and our own, which others keep (`publishing`)."""
