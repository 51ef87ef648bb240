"""Folders by their handles: nothing in them is reached by a symbolic link, and what is made in them has their owner.

Root writes into folders that others may fill with links, or rename: with `sudo testbed run`, into a user's own run
folder, and anyone's runs may be in a folder to which all may write. A path is looked up at each use, so what a check
has found of it may be different at the next use. Therefore

- a run folder is opened once, and its owner is read from the handle; only our own is changed;
- what is in it is opened from there, one name after the other, with O_NOFOLLOW;
- a file is created with O_EXCL under a name of its own, and renamed when it is whole. What has a name already is never
  opened for writing, so neither symbolic nor hard links matter;
- a new folder belongs to this process alone until it is whole. Nobody else can put a link into it, so until then
  programs may write there by name;
- owners change by fchown, on handles of what this process has made.
"""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from testbed.errors import RunError
from testbed.runfolder.damage import DamageError
from testbed.runfolder.owners import ForeignFolderError, Owner, ourselves

IN_RUN: Final = 1
IN_TRIAL: Final = 3
"""How many names at the end of a path belong to the run folder: of a file in it, and of one in trials/ID/."""

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER_MODE: Final = 0o755
_FILE_MODE: Final = 0o644
_BY_OTHERS: Final = 0o022
"""What others never may, whatever the umask is: write."""
_OF_HANDLES: Final = Path("/proc/self/fd")


@dataclass(frozen=True)
class Folder:
    """An open folder."""

    path: Path
    """Its name, for messages only."""
    handle: int
    owner: Owner
    """Whom everything that is made in it is given to: its owner, or ourselves if that is somebody else."""

    @property
    def inside(self) -> Path:
        """A path by which this process and its forks reach this very folder, whatever happens to its name."""
        return _OF_HANDLES / str(self.handle)

    def given_to(self, owner: Owner | None) -> "Folder":
        """Return the same folder, with another owner for what will be made in it, if there is one."""
        return replace(self, owner=owner or self.owner)

    def names(self) -> list[str]:
        """Return what is in it, in the order of the names."""
        return sorted(entry.name for entry in os.scandir(self.handle))

    @contextmanager
    def subfolder(self, name: str) -> Iterator["Folder"]:
        """Open a folder in it."""
        path = self.path / name
        handle = _open_folder(path, os.O_NOFOLLOW, name, self.handle)
        try:
            yield Folder(path, handle, self.owner)
        finally:
            os.close(handle)

    @contextmanager
    def own_subfolder(self, name: str) -> Iterator["Folder"]:
        """Open a folder in it to change that; it is made unless it is there."""
        is_new = self._make(name)
        with self.subfolder(name) as folder:
            if is_new:
                _claim(folder)
                _give(folder.handle, self.owner)
            _require_own(folder, "remove it")
            yield folder

    def _make(self, name: str) -> bool:
        with _named(self.path / name), suppress(FileExistsError):
            os.mkdir(name, _FOLDER_MODE, dir_fd=self.handle)
            return True
        return False

    @contextmanager
    def private_folder(self, name: str) -> Iterator["Folder"]:
        """Make a folder that belongs to this process, even where this one does not."""
        with _named(self.path / name):
            os.mkdir(name, _FOLDER_MODE, dir_fd=self.handle)
        with self.subfolder(name) as folder:
            _claim(folder)
            yield folder

    @contextmanager
    def new_folder(self, unfinished: str, name: str) -> Iterator[Path]:
        """Make a folder, and yield a path to its inside. At the end it gets its name; after an error it is removed."""
        with self.private_folder(unfinished) as folder:
            try:
                yield folder.inside
                _finish(folder.handle, self.owner)
                self.move(unfinished, self, name)
            except BaseException:
                with suppress(OSError):
                    self.remove(unfinished)
                raise

    @contextmanager
    def new_file(self, name: str, mark: str = "") -> Iterator[BinaryIO]:
        """A file to write, which replaces the old one when it is whole; until then, and after an error, that stays.

        A mark of their own keeps processes apart that may write the same file at the same time.
        """
        unfinished = f".{name}{mark}.part"
        self.remove(unfinished)
        with _named(self.path / name):
            handle = os.open(unfinished, _CREATE, _FILE_MODE, dir_fd=self.handle)
            try:
                with os.fdopen(handle, "wb") as file:
                    yield file
                    _give(handle, self.owner)
                self.move(unfinished, self, name)
            except BaseException:
                with suppress(OSError):
                    self.remove(unfinished)
                raise

    def move(self, name: str, target: "Folder", new_name: str) -> None:
        """Rename what has this name: a link itself, and not what it names."""
        with _named(self.path / name):
            os.rename(name, new_name, src_dir_fd=self.handle, dst_dir_fd=target.handle)

    def remove(self, name: str) -> None:
        """Remove what has this name, if anything: a folder with its contents, or a link and not what it names."""
        with _named(self.path / name), suppress(FileNotFoundError):
            if stat.S_ISDIR(os.stat(name, dir_fd=self.handle, follow_symlinks=False).st_mode):
                shutil.rmtree(name, dir_fd=self.handle)  # which does not follow links either
            else:
                os.unlink(name, dir_fd=self.handle)

    def open_lock(self, name: str) -> int:
        """Open a file that only its owner can open, so that nobody else can lock it; it is made unless it is there."""
        with _named(self.path / name), _links_refused(self.path / name):
            try:
                handle = os.open(name, _CREATE, 0o600, dir_fd=self.handle)
                _give(handle, self.owner)
            except FileExistsError:
                handle = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self.handle)
        found = os.fstat(handle)
        if not Owner.of(found).is_us or not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077 or found.st_nlink > 1:
            os.close(handle)
            raise RunError(f"{self.path / name} is not a file that only its owner can open: remove it")
        return handle


@contextmanager
def opened(path: Path, *, may_be_link: bool = False) -> Iterator[Folder]:
    """Open a folder, whoever it belongs to. Its path may have links in it."""
    handle = _open_folder(path, 0 if may_be_link else os.O_NOFOLLOW, path)
    try:
        found = Owner.of(os.fstat(handle))
        yield Folder(path, handle, found if found.is_us else ourselves())
    finally:
        os.close(handle)


@contextmanager
def made(path: Path, owner: Owner | None = None) -> Iterator[Folder]:
    """Open a folder, which is made with its parents unless it is there; new ones get this owner, or their parent's."""
    if path.exists():
        with opened(path, may_be_link=True) as folder:
            yield folder
    else:
        with made(path.parent, owner) as parent, parent.given_to(owner).own_subfolder(path.name) as folder:
            yield folder


@contextmanager
def opened_own(path: Path) -> Iterator[Folder]:
    """Open a folder to change it; raises ForeignFolderError if it belongs to another user."""
    with opened(path) as folder:
        _require_own(folder, "what belongs to others is never changed; copy it (cp -r), and use the copy")
        yield folder


def for_other_processes(path: Path) -> Path:
    """Return a path by which other processes reach what this one reaches by the inside of a `Folder`."""
    return Path("/proc", str(os.getpid()), *path.parts[3:]) if path.is_relative_to(_OF_HANDLES) else path


def open_to_read(file: Path, depth: int) -> BinaryIO:
    """Open a file. The last `depth` names of its path belong to a run folder, so none of them may be a link."""
    *folders, name = file.parts[-depth:]
    with ExitStack() as stack:
        folder = stack.enter_context(opened(Path(*file.parts[:-depth]), may_be_link=True))
        for each in folders:
            folder = stack.enter_context(folder.subfolder(each))
        with _links_refused(file):
            handle = os.open(name, _READ, dir_fd=folder.handle)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise DamageError(file, "is not a file")
    return os.fdopen(handle, "rb")


def read_file(file: Path, depth: int) -> bytes:
    """Return what is in a file that `open_to_read` can open."""
    with open_to_read(file, depth) as stream:
        return stream.read()


def _open_folder(path: Path, flags: int, name: Path | str, parent: int | None = None) -> int:
    with _named(path), _links_refused(path):
        return os.open(name, _FOLDER | flags, dir_fd=parent)


@contextmanager
def _links_refused(path: Path) -> Iterator[None]:
    """Explain that a link is not followed; where a folder is wanted, the kernel says that a link is not one."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ELOOP, errno.ENOTDIR}:
            raise
        raise DamageError(path, "is a symbolic link, which is not followed, or not a folder: remove it") from error


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Put the whole path into an error, as a name alone says nothing."""
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        raise


def _require_own(folder: Folder, advice: str) -> None:
    found = Owner.of(os.fstat(folder.handle))
    if not found.is_us:
        raise ForeignFolderError(f"{folder.path} belongs to the user {found.name}: {advice}")


def _claim(folder: Folder) -> None:
    """Make sure that a folder is empty and ours: another one may have taken the name of the one that was just made.

    Some file systems give every file to one user. That is accepted if it is the one who called sudo.
    """
    if _is_owned_by_caller(folder.handle):
        with suppress(OSError):
            os.fchown(folder.handle, os.geteuid(), -1)
    if not Owner.of(os.fstat(folder.handle)).is_us or folder.names():
        raise RunError(
            f"{folder.path} is not what was just made there: another program changes it, or its file system does not"
            " keep owners; choose another place with --runs"
        )


def _is_owned_by_caller(handle: int) -> bool:
    found = Owner.of(os.fstat(handle))
    return found.is_us and found.user != os.geteuid()


def _give(handle: int, owner: Owner) -> None:
    """Give something that this process has made to the owner of the folder that it is in."""
    if os.fstat(handle).st_uid != owner.user:
        os.fchown(handle, owner.user, owner.group)


def _finish(handle: int, owner: Owner) -> None:
    """Give a folder and its contents to their owner, who alone can write there; the folder itself last.

    Until then nobody else can change what is in it.
    """
    for name in [entry.name for entry in os.scandir(handle)]:
        inner = os.open(name, _READ, dir_fd=handle)
        try:
            if stat.S_ISDIR(os.fstat(inner).st_mode):
                _finish(inner, owner)
            else:
                _give_alone(inner, owner)
        finally:
            os.close(inner)
    _give_alone(handle, owner)


def _give_alone(handle: int, owner: Owner) -> None:
    """Give something to its owner, whatever the umask let others do with it."""
    mode = stat.S_IMODE(os.fstat(handle).st_mode)
    if mode & _BY_OTHERS:
        os.fchmod(handle, mode & ~_BY_OTHERS)
    _give(handle, owner)
