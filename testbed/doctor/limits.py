"""Limits of the whole machine, compared with what a large network needs; they are never changed."""

import resource
from dataclasses import dataclass
from typing import Final

from testbed.doctor.checks import Check
from testbed.network.sandbox.sysctls import read_sysctl

_SECTION: Final = "limits"
_OPEN_FILES: Final = 20_000


@dataclass(frozen=True)
class Limit:
    """A machine-wide setting, and the least that a large network needs."""

    sysctl: str
    wanted: int
    purpose: str


LIMITS: Final = (
    Limit("net.core.netdev_max_backlog", 5000, "packets that can wait for a busy CPU; others are dropped"),
    Limit("fs.file-max", 200_000, "open files of all programs"),
    Limit("kernel.pid_max", 32_768, "processes"),
    Limit("kernel.threads-max", 32_768, "processes and threads"),
    Limit("fs.inotify.max_user_instances", 512, "programs that watch files"),
    Limit("fs.inotify.max_user_watches", 65_536, "files that are watched"),
    Limit(
        "net.ipv4.neigh.default.gc_thresh3", 4096, "neighbours of all bridged cores together (routed cores need none)"
    ),
)


def check_limits() -> list[Check]:
    """Check each limit; the fix is the command that raises it."""
    return [*map(_check, LIMITS), _check_open_files(), _check_user_namespaces()]


def _check(limit: Limit) -> Check:
    text = read_sysctl(limit.sysctl)
    if text is None or int(text) >= limit.wanted:
        return Check(_SECTION, limit.sysctl, "ok", text or "not on this kernel")
    mend = f"sudo sysctl -w {limit.sysctl}={limit.wanted}   ({limit.purpose})"
    return Check(_SECTION, limit.sysctl, "small", f"{text}, recommended {limit.wanted}", mend, required=False)


def _check_open_files() -> Check:
    """Check the hard limit: programs raise their own soft limit up to it."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    found = "unlimited" if hard == resource.RLIM_INFINITY else str(hard)
    if hard == resource.RLIM_INFINITY or hard >= _OPEN_FILES:
        return Check(_SECTION, "open files (ulimit -Hn)", "ok", found)
    mend = f"echo '* hard nofile {_OPEN_FILES}' | sudo tee /etc/security/limits.d/testbed.conf, and log in again"
    return Check(
        _SECTION, "open files (ulimit -Hn)", "small", f"{found}, recommended {_OPEN_FILES}", mend, required=False
    )


def _check_user_namespaces() -> Check:
    """AppArmor may let an ordinary user create a namespace, and then refuse everything in it."""
    name = "user namespaces"
    if read_sysctl("user.max_user_namespaces") in {None, "0"}:
        mend = "sudo sysctl -w user.max_user_namespaces=10000   (to run without sudo)"
        return Check(_SECTION, name, "missing", "none allowed", mend, required=False)
    if read_sysctl("kernel.apparmor_restrict_unprivileged_userns") == "1":
        mend = "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0   (to run without sudo)"
        return Check(_SECTION, name, "missing", "restricted by AppArmor", mend, required=False)
    if read_sysctl("kernel.unprivileged_userns_clone") == "0":
        mend = "sudo sysctl -w kernel.unprivileged_userns_clone=1   (to run without sudo)"
        return Check(_SECTION, name, "missing", "for root only", mend, required=False)
    return Check(_SECTION, name, "ok", "allowed")
