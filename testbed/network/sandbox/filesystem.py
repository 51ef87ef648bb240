"""The files inside a sandbox: the machine's, with a private /proc, /run and /sys."""

from pathlib import Path

from testbed.network.kernel.syscalls import (
    MS_BIND,
    MS_MOVE,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    mount,
)

_CGROUPS = Path("/sys/fs/cgroup")
_SAFE = MS_NOSUID | MS_NODEV | MS_NOEXEC


def mount_private_view() -> None:
    """Remount /proc, /run and /sys for this pid and network namespace; those of the machine stay unchanged."""
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("proc", "/proc", "proc", _SAFE)
    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755")
    Path("/run/netns").mkdir()
    _mount_sysfs()


def _mount_sysfs() -> None:
    """Mount a sysfs, which shows the interfaces of this namespace, and move the control groups into it."""
    parked = Path("/run/cgroup")
    carry = _CGROUPS.is_mount() or any(_CGROUPS.glob("*"))
    if carry:
        parked.mkdir()
        mount(str(_CGROUPS), str(parked), None, MS_BIND | MS_REC)
    try:
        mount("sysfs", "/sys", "sysfs", _SAFE)
    except PermissionError:
        # In a container whose /sys is read-only, another one must be read-only too.
        mount("sysfs", "/sys", "sysfs", _SAFE | MS_RDONLY)
    if carry:
        mount(str(parked), str(_CGROUPS), None, MS_MOVE)
        parked.rmdir()
