"""What a request for a file says besides the file, in headers of ours."""

from collections.abc import Mapping
from typing import Final

from peer.overlays.gnutella.kazaa.participation import FIRST_LEVEL, MOST_LEVEL
from peer.overlays.gnutella.neighbours.greeting import LEVEL

SEARCH: Final = "X-Search"
"""The name of the search that found the file, so that the traces of both ends tell of the same download."""
_MOST_NAME: Final = 32


def headers_of(search: str, level: int) -> tuple[tuple[str, str], ...]:
    return ((LEVEL, str(level)), (SEARCH, search))


def claimed_in(headers: Mapping[str, str]) -> int:
    """Return the level that somebody claims; who claims none is taken for a new user."""
    text = headers.get(LEVEL.lower(), "")
    is_number = text.isascii() and text.isdigit() and len(text) < 6
    return min(MOST_LEVEL, int(text)) if is_number else FIRST_LEVEL


def search_in(headers: Mapping[str, str]) -> str:
    return headers.get(SEARCH.lower(), "")[:_MOST_NAME]
