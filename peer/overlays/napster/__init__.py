"""Napster: one directory knows who shares what; clients share, search, and are told where to download.

The texts are drscholl's description of the messages (napster.txt of opennap, with which mldonkey agrees).
"""
