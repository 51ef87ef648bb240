"""`python -m peer tracker`: the tracker, with its own command line."""

from collections.abc import Sequence

from peer.bittorrent.tracker.__main__ import main

SUMMARY = "run a tracker (its own options: python -m peer tracker --help)"


def run(arguments: Sequence[str]) -> int:
    """Pass everything on."""
    return main(arguments)
