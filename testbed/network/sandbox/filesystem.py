"""What a process of the sandbox sees of the machine's files: all of them, but a /proc, /run and /sys of its own."""

from pathlib import Path

from testbed.network.kernel.syscalls import (
    MS_BIND,
    MS_MOVE,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_REC,
    mount,
)

_CGROUPS = Path("/sys/fs/cgroup")
_SAFE = MS_NOSUID | MS_NODEV | MS_NOEXEC


def mount_private_view() -> None:
    """Remount /proc, /run and /sys for this pid and network namespace; the machine's own stay as they are."""
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("proc", "/proc", "proc", _SAFE)
    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755")
    Path("/run/netns").mkdir()
    _mount_sysfs()


def _mount_sysfs() -> None:
    """A sysfs shows the interfaces of the namespace that mounted it; the control groups are carried over."""
    parked = Path("/run/cgroup")
    carry = _CGROUPS.is_mount() or any(_CGROUPS.glob("*"))
    if carry:
        parked.mkdir()
        mount(str(_CGROUPS), str(parked), None, MS_BIND | MS_REC)
    mount("sysfs", "/sys", "sysfs", _SAFE)
    if carry:
        mount(str(parked), str(_CGROUPS), None, MS_MOVE)
        parked.rmdir()
