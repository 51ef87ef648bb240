"""The files that are distributed: as random as their seed makes them, so that nothing can compress them."""

from pathlib import Path
from random import Random
from typing import Final

_AT_A_TIME: Final = 1 << 20


def make_original(folder: Path, seed: int, size: int) -> Path:
    """Return the file of a size, made if it is not there; a file that has its name is whole."""
    path = folder / f"{size}.bin"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        _write(unfinished, Random(f"file {seed} {size}"), size)
        unfinished.rename(path)
    return path


def _write(path: Path, rng: Random, size: int) -> None:
    with path.open("wb") as file:
        for begin in range(0, size, _AT_A_TIME):
            file.write(rng.randbytes(min(_AT_A_TIME, size - begin)))
