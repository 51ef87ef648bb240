"""A kernel of the distribution, downloaded once and never installed.

    ~/.cache/testbed/vm/debian-12/6.1.0-40-amd64/
      kernel                    ready to boot
      usr/lib/modules/RELEASE/  its modules, with depmod's tables

A kernel is built in `.building` and renamed when it is complete, so a folder with a release's name is complete.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from minivm.errors import VmError
from minivm.initramfs import kernel_inside
from minivm.system import Distribution, distribution, name_of_system


@dataclass(frozen=True)
class Kernel:
    """A kernel in the cache."""

    folder: Path

    @property
    def image(self) -> Path:
        return self.folder / "kernel"

    @property
    def all_modules(self) -> Path:
        """The folder that a guest mounts as /usr/lib/modules."""
        return self.folder / "usr/lib/modules"

    @property
    def modules(self) -> Path:
        return self.all_modules / self.folder.name

    @property
    def is_whole(self) -> bool:
        return self.image.exists() and (self.modules / "modules.dep").exists()


def cached_kernel() -> Kernel:
    """Return the cache's newest kernel; download one when there is none. Several processes may call this at once."""
    system = name_of_system(Path("/etc/os-release").read_text())
    known = distribution(system)
    shelf = cache_home() / system
    shelf.mkdir(parents=True, exist_ok=True)
    if found := newest(shelf):
        return found
    with alone_in(shelf):
        return newest(shelf) or build(shelf, known)


def cache_home() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).resolve() / "testbed/vm"


def newest(shelf: Path) -> Kernel | None:
    kernels = [Kernel(folder) for folder in shelf.glob("[0-9]*")]
    whole = [kernel for kernel in kernels if kernel.is_whole]
    return max(whole, key=lambda kernel: kernel.folder.stat().st_mtime, default=None)


@contextmanager
def alone_in(shelf: Path) -> Iterator[None]:
    """Wait until no other process builds here. The kernel releases the lock when its process ends in any way."""
    with (shelf / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(shelf: Path, known: Distribution) -> Kernel:
    release = newest_release(known.kernel)
    print(f"tests/vm/boot: downloading kernel {release}, once", file=sys.stderr, flush=True)
    building, finished = shelf / ".building", shelf / release
    for leftover in (building, finished):
        shutil.rmtree(leftover, ignore_errors=True)
    building.mkdir()
    for package in known.parts:
        unpack_package(package.format(release=release), building)
    arrange(building, release)
    building.rename(finished)
    return Kernel(finished)


def newest_release(package: str) -> str:
    """Return the kernel release that the distribution's package currently depends on."""
    answer = output_of(["apt-cache", "depends", package])
    release = re.search(r"Depends: linux-image-(\d\S+)", answer)
    if not release:
        raise VmError(f"apt knows no {package}; as root: apt-get update")
    return release[1]


def unpack_package(package: str, folder: Path) -> None:
    output_of(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package], folder)
    (archive,) = folder.glob("*.deb")
    output_of(["dpkg-deb", "-x", str(archive), str(folder)])
    archive.unlink()


def arrange(folder: Path, release: str) -> None:
    """Move the packages' files to where depmod, modprobe and a guest look for them."""
    image = (folder / f"boot/vmlinuz-{release}").read_bytes()
    (folder / "kernel").write_bytes(kernel_inside(image) or image)
    if not (folder / "usr/lib/modules").exists():
        (folder / "usr/lib").mkdir(parents=True, exist_ok=True)
        (folder / "lib/modules").rename(folder / "usr/lib/modules")
    for unused in ("boot", "lib", "usr/share"):
        shutil.rmtree(folder / unused, ignore_errors=True)
    (folder / "lib").symlink_to("usr/lib")
    output_of(["depmod", "-b", str(folder), release])


def output_of(command: list[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise VmError(f"`{' '.join(command)}` failed: {reason}; is there a network? as root: apt-get update")
    return done.stdout
