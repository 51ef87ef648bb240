"""The versions of what makes results: the kernel, Python, and libraries, none of which is imported for it."""

import importlib.metadata
import platform
from typing import Final

_LIBRARIES: Final = ("testbed", "mininet", "pyroute2", "typer", "rich", "pydantic", "ruamel.yaml")
_OPTIONAL: Final = ("numpy", "pandas", "scipy", "matplotlib", "pyarrow", "uvloop", "scapy")
"""Libraries that a run or a report uses if they are installed."""


def versions() -> dict[str, str]:
    """Return the versions to record with results."""
    libraries = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    optional = {name: version for name in _OPTIONAL if (version := _version(name)) is not None}
    system = {"kernel": platform.release(), "system": _system_name(), "python": platform.python_version()}
    return {**system, **libraries, **optional}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _system_name() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown")
    except OSError:
        return platform.system()
