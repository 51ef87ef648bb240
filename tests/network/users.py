"""Call a function as another user of the machine, in a process whose view of the file system makes that possible."""

import ctypes
import enum
import multiprocessing
import os
import stat
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

from testbed.network.kernel.syscalls import (
    CLONE_NEWNS,
    MS_BIND,
    MS_PRIVATE,
    MS_REC,
    mount,
    unshare,
)

T = TypeVar("T")

REPOSITORY = Path(__file__).resolve().parents[2]
FORK = multiprocessing.get_context("fork")

_NOBODY = 65534
_PATIENCE_S = 60
_MS_SHARED = 1 << 20
_MNT_DETACH = 2
_PR_SET_DUMPABLE = 4
_LIBC = ctypes.CDLL(None)
_TUN = Path("/dev/net/tun")


class User(enum.StrEnum):
    """Who runs the testbed."""

    ROOT = "root"
    ORDINARY = "ordinary user"


def why_not(user: User) -> str | None:
    """Return what prevents running as that user, if anything does."""
    if os.geteuid() == 0:
        readable = all(folder.stat().st_mode & stat.S_IROTH for folder in _needed_folders())
        return None if user is User.ROOT or readable else f"other users may not read {REPOSITORY} (chmod -R o+rX)"
    return "these tests were not started by root" if user is User.ROOT else None


def call_as(user: User, function: Callable[[], T]) -> T:
    """Call `function` in a forked process of that user; return its result, or raise its error."""
    receiver, sender = FORK.Pipe(duplex=False)
    child = FORK.Process(target=_answer, args=(user, function, sender))
    child.start()
    sender.close()
    try:
        if not receiver.poll(_PATIENCE_S):
            raise TimeoutError(f"the function has not returned after {_PATIENCE_S} s")
        succeeded, result = receiver.recv()
    except EOFError:
        child.join()
        raise RuntimeError(f"the process that ran the function ended with {child.exitcode}") from None
    finally:
        child.kill()
        child.join()
        receiver.close()
    if not succeeded:
        raise result
    return result  # type: ignore[no-any-return]


def _answer(user: User, function: Callable[[], object], sender: Connection) -> None:
    try:
        if os.geteuid() == 0:
            _open_view()
            if user is User.ORDINARY:
                _give_up_root()
        sender.send((True, function()))
    except BaseException as error:
        error.add_note(traceback.format_exc())
        sender.send((False, error.with_traceback(None)))


def _give_up_root() -> None:
    os.setgroups([])
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    # The kernel hides /proc/self of a process that changed its user, until it executes a program or sets this flag.
    _LIBC.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)


def _open_view() -> None:
    """Enter a mount namespace in which every user may read the repository and open the TUN device.

    Its mounts are shared, as systemd makes those of a machine, so that a mount that escapes from a sandbox shows here.
    """
    unshare(CLONE_NEWNS)
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    parking = Path(tempfile.mkdtemp())
    mount("tmpfs", str(parking), "tmpfs", 0, "mode=0755")
    needed = _needed_folders()
    for closed in {folder for path in needed if (folder := _closed_above(path))}:
        _replace(closed, [path for path in needed if path.is_relative_to(closed)], parking)
    if _TUN.exists() and not _TUN.stat().st_mode & stat.S_IWOTH:
        _open_device(_TUN, parking / "tun")
    _LIBC.umount2(str(parking).encode(), _MNT_DETACH)  # bind mounts made from there stay
    parking.rmdir()
    mount("none", "/", None, MS_REC | _MS_SHARED)
    os.chdir(REPOSITORY)


def _needed_folders() -> list[Path]:
    """Return the folders that a Python process of the testbed reads; none is inside another."""
    needed = {REPOSITORY, Path(sys.prefix), Path(sys.base_prefix)}
    return [path for path in needed if not any(path != other and path.is_relative_to(other) for other in needed)]


def _closed_above(path: Path) -> Path | None:
    """Return the outermost parent folder that other users cannot enter."""
    return next((folder for folder in reversed(path.parents) if not folder.stat().st_mode & stat.S_IXOTH), None)


def _replace(closed: Path, kept: Iterable[Path], parking: Path) -> None:
    """Cover a folder with one that every user can enter and that contains only the kept paths."""
    parked = {path: parking / f"{number}" for number, path in enumerate(kept)}
    for path, place in parked.items():
        place.mkdir()
        mount(str(path), str(place), None, MS_BIND | MS_REC)
    mount("tmpfs", str(closed), "tmpfs", 0, "mode=0755")
    for path, place in parked.items():
        path.mkdir(parents=True, exist_ok=True)
        mount(str(place), str(path), None, MS_BIND | MS_REC)


def _open_device(device: Path, replacement: Path) -> None:
    """Let every user open a device, as udev does with this one."""
    os.mknod(replacement, stat.S_IFCHR, device.stat().st_rdev)
    replacement.chmod(0o666)
    mount(str(replacement), str(device), None, MS_BIND)
