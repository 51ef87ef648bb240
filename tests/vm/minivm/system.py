"""The system that this machine runs; one table has all that differs between distributions."""

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from minivm.errors import VmError


@dataclass(frozen=True)
class Distribution:
    """The packages in which a distribution has a kernel with netem and 9p."""

    kernel: str
    """The package that always depends on the newest `linux-image-RELEASE`."""
    parts: tuple[str, ...]
    """The packages that hold the kernel and its modules."""


DISTRIBUTIONS = {
    "debian-12": Distribution("linux-image-amd64", ("linux-image-{release}",)),
    "debian-13": Distribution("linux-image-amd64", ("linux-image-{release}",)),
    "ubuntu-24.04": Distribution(
        "linux-image-generic",
        ("linux-image-{release}", "linux-modules-{release}", "linux-modules-extra-{release}"),
    ),
}

PACKAGE_OF = {
    "apt-get": "apt",
    "depmod": "kmod",
    "dpkg-deb": "dpkg",
    "qemu-system-x86_64": "qemu-system-x86",
    "setpriv": "util-linux",
}

# A dynamically linked `busybox` has the same path, but does not run in an initramfs.
BUSYBOX = Path("/bin/busybox")
BUSYBOX_IS_STATIC = Path("/var/lib/dpkg/info/busybox-static.list")


def name_of_system(os_release: str) -> str:
    """Return a name such as `debian-12` from the text of /etc/os-release."""
    fields = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    return "-".join(fields.get(key, "").strip("\"'") for key in ("ID", "VERSION_ID"))


def distribution(name: str) -> Distribution:
    """Return what is known about this system; raise for an unknown one."""
    if name not in DISTRIBUTIONS or platform.machine() != "x86_64":
        known = ", ".join(DISTRIBUTIONS)
        raise VmError(f"no kernel is known for {name} on {platform.machine()}; use one of {known} on x86_64")
    return DISTRIBUTIONS[name]


def require_tools() -> None:
    """Raise an error that names the packages of missing programs."""
    missing = sorted(missing_packages())
    if missing:
        raise VmError(f"programs are missing; as root: apt-get install {' '.join(missing)}")


def missing_packages() -> Iterator[str]:
    """Yield the packages that must be installed before a machine can start."""
    extend_path()
    for tool, package in PACKAGE_OF.items():
        if not shutil.which(tool):
            yield package
    if not BUSYBOX_IS_STATIC.exists():
        yield "busybox-static"


def extend_path() -> None:
    """Add /usr/sbin and /sbin to PATH: on Debian an ordinary user's PATH lacks them, and so depmod."""
    os.environ["PATH"] = f"{os.environ.get('PATH', '/usr/bin:/bin')}:/usr/sbin:/sbin"
