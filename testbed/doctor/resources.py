"""What this machine has left for trials: memory, processes, open files, disk."""

import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from testbed.experiment.plan.refusals import Resources
from testbed.network.sandbox.sysctls import read_sysctl

_CGROUPS: Final = Path("/sys/fs/cgroup")
_KIB: Final = 1024


def find_resources(runs: Path) -> Resources:
    """Return what is left now, with the disk that holds a folder of runs, which need not exist yet."""
    place = next(folder for folder in (runs.absolute(), *runs.absolute().parents) if folder.exists())
    memory = _meminfo()
    return Resources(
        memory=_least(memory["MemAvailable"], *_left_in_cgroups("memory")),
        memory_files=memory["MemTotal"] // 2,  # the size of a tmpfs by default, which a sandbox's /run has
        threads=_least(*_thread_limits(), *_left_in_cgroups("pids")),
        namespaces=_setting("user.max_net_namespaces"),
        open_files=_hard_limit(resource.RLIMIT_NOFILE),
        disk=shutil.disk_usage(place).free,
        disk_place=str(place),
    )


def _meminfo() -> dict[str, int]:
    lines = (line.partition(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return {name: int(value.split()[0]) * _KIB for name, _, value in lines}


def _thread_limits() -> Iterator[int | None]:
    """Yield how many more processes and threads each limit allows."""
    running = int(Path("/proc/loadavg").read_text().split()[3].partition("/")[2])
    for setting in ("kernel.pid_max", "kernel.threads-max"):
        most = _setting(setting)
        yield None if most is None else max(0, most - running)
    if os.geteuid() != 0:
        yield _hard_limit(resource.RLIMIT_NPROC)


def _left_in_cgroups(kind: str) -> Iterator[int]:
    """Yield what this process's control group and those above it leave, as systemd and containers limit them."""
    for group in _own_cgroups():
        try:
            most, now = ((group / f"{kind}.{name}").read_text().strip() for name in ("max", "current"))
        except OSError:
            continue
        if most != "max":
            yield max(0, int(most) - int(now))


def _own_cgroups() -> Iterator[Path]:
    """Yield the control group of this process in the unified hierarchy, and those above it."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, _, path = line.split(":", 2)
        if number == "0":
            own = _CGROUPS / path.lstrip("/")
            yield from (folder for folder in (own, *own.parents) if folder.is_relative_to(_CGROUPS))


def _setting(name: str) -> int | None:
    text = read_sysctl(name)
    return None if text is None else int(text)


def _hard_limit(kind: int) -> int | None:
    _soft, hard = resource.getrlimit(kind)
    return None if hard == resource.RLIM_INFINITY else hard


def _least(*values: int | None) -> int | None:
    return min((value for value in values if value is not None), default=None)
