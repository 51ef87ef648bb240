"""Overlays that find who has what: directories, flooding, supernodes, distributed hash tables.

Each is a folder with its messages (`wire`) and its nodes, which decide and do nothing: see `node`.
"""
