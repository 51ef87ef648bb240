"""The data of a page that a report has written. It spares reading all traces again, which takes minutes."""

import re
from html import unescape
from pathlib import Path
from typing import Any, Final, TypeAlias

from testbed.results.page import PAGE
from testbed.results.page.contents import OVERVIEW, VERSION, report_identity
from testbed.results.page.packing import unpacked
from testbed.runfolder.damage import DamageError
from testbed.runfolder.folder import PLAN, TRIALS
from testbed.runfolder.handles import IN_RUN, read_file
from testbed.serving.reader.states import stamp_of

Json: TypeAlias = dict[str, Any]

_PART: Final = re.compile(r'<script type="text/plain" id="data:([^"]+)">([A-Za-z0-9+/=]+)</script>')


def written_parts(run: Path) -> dict[str, str] | None:
    """Return the parts of a run's page; None unless this program made it, and after the last change of the run."""
    made = stamp_of(run / PAGE)[1]
    if made < max(stamp_of(run / name)[1] for name in (PLAN, TRIALS)):
        return None
    try:
        parts = parts_in(read_file(run / PAGE, IN_RUN).decode())
        overview = unpacked(parts[OVERVIEW])
        is_ours = overview["version"] == VERSION and overview["provenance"]["report"] == report_identity()
    except (DamageError, OSError, ValueError, LookupError, TypeError):
        return None
    return parts if is_ours else None


def parts_in(page: str) -> dict[str, str]:
    """Return the parts in the text of a page, as they are packed."""
    return {unescape(name): text for name, text in _PART.findall(page)}
