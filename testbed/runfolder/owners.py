"""Whose run folders a command may use, and whom new ones belong to."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from testbed.errors import RunError

_ROOT = 0


class ForeignFolderError(RunError):
    """A folder that belongs to another user, and so is neither continued nor changed."""


@dataclass(frozen=True)
class Owner:
    """The user and the group of a file."""

    user: int
    group: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Owner":
        """Return the owner in the status of a file."""
        return cls(status.st_uid, status.st_gid)

    @property
    def name(self) -> str:
        """The user's name, or the number of one without a name."""
        try:
            return pwd.getpwuid(self.user).pw_name
        except KeyError:
            return str(self.user)

    @property
    def is_us(self) -> bool:
        """Whether this process may use what belongs to this owner: its own user, or who started it with sudo."""
        caller = sudo_caller()
        return self.user == os.geteuid() or (caller is not None and self.user == caller.user)


def ourselves() -> Owner:
    """Return the owner of what this process creates."""
    return Owner(os.geteuid(), os.getegid())


def sudo_caller() -> Owner | None:
    """Return who started this command with sudo; None if nobody did.

    Only root may rely on it: any other user could set these variables to anything.
    """
    user, group = os.environ.get("SUDO_UID", ""), os.environ.get("SUDO_GID", "")
    if os.geteuid() != _ROOT or not (user.isdecimal() and group.isdecimal()) or int(user) == _ROOT:
        return None
    return Owner(int(user), int(group))


def person() -> Owner:
    """Return the user for whom this command works, which is not root where sudo started it."""
    return sudo_caller() or ourselves()


def own_runs(runs: Path) -> Path:
    """Return where this user's runs are. If everybody may write to the folder of runs, each user has one below it."""
    is_shared = runs.exists() and may_all_write(runs.stat())
    return runs / person().name if is_shared else runs


def may_all_write(folder: os.stat_result) -> bool:
    """Whether everybody may write to a folder, given its status."""
    return bool(folder.st_mode & stat.S_IWOTH)
