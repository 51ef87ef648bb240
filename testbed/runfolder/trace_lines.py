"""The lines of a trace as a trial's folder keeps it, compressed."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from testbed.runfolder.damage import DamageError
from testbed.runfolder.handles import IN_TRIAL, open_to_read


def trace_lines(file: Path) -> Iterator[bytes]:
    """Yield the lines of a trace; a DamageError says that the file is missing, cut short or corrupt."""
    try:
        with open_to_read(file, IN_TRIAL) as packed, gzip.open(packed, "rb") as stream:
            yield from stream
    except FileNotFoundError as error:
        raise DamageError(file, "is missing") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DamageError(file, f"is cut short or corrupt: {error}") from error
