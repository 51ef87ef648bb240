"""Kernel settings: those of a network namespace are written, those of the machine are only read.

A new network namespace copies some settings from the machine, and takes the kernel's defaults for others. Results must
not depend on which, so every setting that changes TCP is written explicitly, and recorded with the results.
"""

from collections.abc import Mapping
from pathlib import Path

from testbed.errors import ExplainedError

_PROC_SYS = Path("/proc/sys")

QUIET_IPV6: Mapping[str, str] = {
    "net.ipv6.conf.all.disable_ipv6": "1",
    "net.ipv6.conf.default.disable_ipv6": "1",
}

# The kernel's defaults for a machine with plenty of memory.
TCP: Mapping[str, str] = {
    # Otherwise what one connection learns of a path (its ssthresh) affects the next one.
    "net.ipv4.tcp_no_metrics_save": "1",
    "net.ipv4.tcp_rmem": "4096 131072 6291456",
    "net.ipv4.tcp_wmem": "4096 16384 4194304",
}

# A machine that forwards, as one with containers does, would make hosts forward too.
NO_FORWARDING: Mapping[str, str] = {"net.ipv4.ip_forward": "0"}

FORWARDING: Mapping[str, str] = {
    "net.ipv4.ip_forward": "1",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.rp_filter": "0",
    "net.ipv4.conf.all.send_redirects": "0",
    "net.ipv4.conf.default.send_redirects": "0",
}

# Present only if br_netfilter is loaded; bridges here must not consult a packet filter.
BRIDGE: Mapping[str, str] = {
    "net.bridge.bridge-nf-call-iptables": "0",
    "net.bridge.bridge-nf-call-ip6tables": "0",
    "net.bridge.bridge-nf-call-arptables": "0",
}


class SysctlError(ExplainedError, OSError):
    """A setting was refused."""


def sysctl_path(name: str) -> Path:
    """Return the file of a setting; `net.` settings are those of the calling thread's namespace."""
    return _PROC_SYS / name.replace(".", "/")


def read_sysctl(name: str) -> str | None:
    """Return a setting's value with single spaces, or None if this kernel lacks it."""
    try:
        return " ".join(sysctl_path(name).read_text().split())
    except FileNotFoundError:
        return None


def write_sysctls(settings: Mapping[str, str]) -> dict[str, str]:
    """Write settings in the current namespace, and return those that this kernel has."""
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
