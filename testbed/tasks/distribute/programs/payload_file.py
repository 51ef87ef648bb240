"""The file that is distributed: random, so that nothing can compress it, and the same for the same seed and size."""

from pathlib import Path
from random import Random
from typing import Final

from testbed.tasks.distribute.trials import settings_of
from testbed.tasks.launches import TrialContext

_CHUNK_BYTES: Final = 1 << 20


def payload_file(context: TrialContext) -> Path:
    """Return where the file of a trial is."""
    return _path(context.shared_folder, settings_of(context.trial).file_size)


def make_payload_file(folder: Path, seed: int, size: int) -> Path:
    """Make the file unless it is there. It gets its name when it is complete, so a file of that name can be used."""
    path = _path(folder, size)
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        _write(unfinished, Random(f"file {seed} {size}"), size)
        unfinished.rename(path)
    return path


def _path(folder: Path, size: int) -> Path:
    return folder / f"{size}.bin"


def _write(path: Path, rng: Random, size: int) -> None:
    with path.open("wb") as file:
        for begin in range(0, size, _CHUNK_BYTES):
            file.write(rng.randbytes(min(_CHUNK_BYTES, size - begin)))
