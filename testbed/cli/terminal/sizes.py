"""Sizes of files, for readers."""

from typing import Final

_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def about(size: float) -> str:
    """Write a number of bytes with three digits: 1_234_567 -> "1.23 MB"."""
    units = iter(_UNITS)
    unit = next(units)
    while size >= 999.5:
        size, unit = size / 1000, next(units, unit)
    return f"{size:.3g} {unit}"
