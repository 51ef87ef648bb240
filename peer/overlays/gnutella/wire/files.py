"""What is asked for in HTTP: `/get/INDEX/NAME/`, as a hit has both."""

import re
from typing import Final
from urllib.parse import quote, unquote

_TARGET: Final = re.compile(r"/get/([0-9]{1,10})/(.*?)/?")


def target_of(index: int, name: str) -> str:
    """Return the path of a file. Servents of 0.4 wrote names as they are, with their spaces; later ones as here."""
    return f"/get/{index}/{quote(name, safe='', errors='surrogateescape')}/"


def index_and_name(target: str) -> tuple[int, str] | None:
    """Return which file a path means; None if it means none."""
    found = _TARGET.fullmatch(target)
    return None if found is None else (int(found[1]), unquote(found[2], errors="surrogateescape"))
