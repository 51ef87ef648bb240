"""What a browser gets besides data: a page that its script draws, the scripts, and the styles."""

from collections.abc import Mapping
from typing import Final

from testbed.results.page.inlining import ASSETS, script, style

_SCRIPTS: Final = ("runs.js", "run.js")
_SHELL: Final = "served.html"


def assets() -> Mapping[str, str]:
    """Return all of it by name."""
    shell = (ASSETS / _SHELL).read_text(encoding="utf-8")
    return {_SHELL: shell, "style.css": style(), **{name: script(f"served/{name}") for name in _SCRIPTS}}
