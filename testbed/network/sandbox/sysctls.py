"""Kernel settings: those of one network namespace, which are set, and those of the machine, which are only read.

A new network namespace copies some settings from the machine's and takes the kernel's defaults for others. A result
must not depend on which, so everything here that changes how TCP behaves is written, and what was written is kept
with the results.
"""

from collections.abc import Mapping
from pathlib import Path

from testbed.errors import ExplainedError

_PROC_SYS = Path("/proc/sys")

QUIET_IPV6: Mapping[str, str] = {
    "net.ipv6.conf.all.disable_ipv6": "1",
    "net.ipv6.conf.default.disable_ipv6": "1",
}

# The kernel's own defaults for a machine with plenty of memory, pinned.
TCP: Mapping[str, str] = {
    # Without this, what one trial learnt of a path (its ssthresh) would shape the next connection on it.
    "net.ipv4.tcp_no_metrics_save": "1",
    "net.ipv4.tcp_rmem": "4096 131072 6291456",
    "net.ipv4.tcp_wmem": "4096 16384 4194304",
}

FORWARDING: Mapping[str, str] = {
    "net.ipv4.ip_forward": "1",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.rp_filter": "0",
    "net.ipv4.conf.all.send_redirects": "0",
    "net.ipv4.conf.default.send_redirects": "0",
}

# Present only once br_netfilter is loaded; a bridge of ours must not consult a packet filter.
BRIDGE: Mapping[str, str] = {
    "net.bridge.bridge-nf-call-iptables": "0",
    "net.bridge.bridge-nf-call-ip6tables": "0",
    "net.bridge.bridge-nf-call-arptables": "0",
}


class SysctlError(ExplainedError, OSError):
    """A setting was refused."""


def sysctl_path(name: str) -> Path:
    """Where the kernel shows a setting; a `net.` one is that of the calling thread's namespace."""
    return _PROC_SYS / name.replace(".", "/")


def read_sysctl(name: str) -> str | None:
    """The setting's value with single spaces, or None where this kernel has no such setting."""
    try:
        return " ".join(sysctl_path(name).read_text().split())
    except FileNotFoundError:
        return None


def write_sysctls(settings: Mapping[str, str]) -> dict[str, str]:
    """Write the settings that this kernel has into the current namespace; the ones written are returned."""
    written = {}
    for name, value in settings.items():
        try:
            sysctl_path(name).write_text(value)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise SysctlError(error.errno, f"{name} = {value}: {error.strerror}") from error
        written[name] = value
    return written
