"""Where a result comes from: the program, the machine, the command line, and the time.

A run may be resumed, so there is an entry for each session. A report has an entry of its own.
"""

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from testbed.network import sandbox
from testbed.runs.commit import commit_of
from testbed.runs.versions import versions

_PROC: Final = Path("/proc")


def session(clients: Mapping[str, str]) -> dict[str, Any]:
    """Describe a session that begins now; `clients` are the versions of programs that are not ours."""
    return {
        "started": now(),
        "ended": None,
        "command": sys.argv,
        **commit_of()._asdict(),
        "versions": versions(),
        "clients": dict(clients),
        "cpu": _cpu(),
        "processors": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        # Root of a rootless container is in a user namespace.
        "user": "root" if os.geteuid() == 0 and sandbox.is_machine_root() else "user namespace",
        "host_settings": None,
    }


def of_report() -> dict[str, Any]:
    """Describe the program that makes tables and figures now: another version may have run the trials."""
    return {"made": now(), "command": sys.argv, **commit_of()._asdict(), "versions": versions()}


def program() -> str:
    """Name this program with its version and commit, for files that leave the run folder."""
    commit, is_changed = commit_of()
    words = [f"testbed {versions()['testbed']}"]
    if commit:
        words.append(f"commit {commit[:12]}{' with changes' if is_changed else ''}")
    return ", ".join(words)


def now() -> str:
    """Return the time as text."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _cpu() -> str:
    lines = (_PROC / "cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
