"""Features of the kernel, each tested by using it once in a sandbox."""

import errno
import os
import socket
from pathlib import Path
from typing import Final, NamedTuple

from testbed.doctor.checks import Check
from testbed.network import sandbox
from testbed.network.features import has_filter, has_link, has_qdisc
from testbed.network.sandbox.sysctls import read_sysctl

_SECTION: Final = "kernel"
_TUN: Final = Path("/dev/net/tun")


class _Feature(NamedTuple):
    name: str
    option: str
    purpose: str
    required: bool = True


_QDISCS: Final = (
    _Feature("htb", "CONFIG_NET_SCH_HTB", "rates"),
    _Feature("bfifo", "CONFIG_NET_SCHED", "queues"),
    _Feature("tbf", "CONFIG_NET_SCH_TBF", "fast links into slow ones"),
    _Feature(
        "netem",
        "CONFIG_NET_SCH_NETEM",
        "delay, jitter and loss in the kernel (otherwise in the delay box)",
        required=False,
    ),
)
_FILTERS: Final = (
    _Feature("bpf", "CONFIG_NET_CLS_BPF", "acknowledgements that bypass the rate limit"),
    _Feature("u32", "CONFIG_NET_CLS_U32", "filters of plain Mininet", required=False),
)
_LINKS: Final = (
    _Feature("veth", "CONFIG_VETH", "links"),
    _Feature("bridge", "CONFIG_BRIDGE", "bridged cores", required=False),
    _Feature("ifb", "CONFIG_IFB", "not used by the testbed", required=False),
)


def check_kernel() -> list[Check]:
    """Test all features in one sandbox, or report why a sandbox is impossible."""
    try:
        found, controls = sandbox.run(_try_all)
    except sandbox.SandboxError as error:
        return [Check(_SECTION, "namespaces", "missing", str(error), "see the text")]
    checks = [Check(_SECTION, "namespaces", "ok", "net, mount, pid, ipc, uts")]
    for kind, features in (("qdisc", _QDISCS), ("filter", _FILTERS), ("link", _LINKS)):
        checks += [_check(kind, feature, found=found[kind, feature.name]) for feature in features]
    checks += [_check_control(name, controls) for name in ("cubic", "reno", "bbr")]
    return [*checks, _check_packet_sockets(found=found["socket", "packet"]), _check_tun(), _check_open_vswitch()]


def _try_all() -> tuple[dict[tuple[str, str], bool], list[str]]:
    found = {("qdisc", feature.name): has_qdisc(feature.name) for feature in _QDISCS}
    found |= {("filter", feature.name): has_filter(feature.name) for feature in _FILTERS}
    found |= {("link", feature.name): has_link(feature.name) for feature in _LINKS}
    found["socket", "packet"] = _has_packet_sockets()
    return found, [name for name in ("cubic", "reno", "bbr") if _has_control(name)]


def _has_control(name: str) -> bool:
    """Request it on a socket, which also loads its module."""
    with socket.socket() as tcp:
        try:
            tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())
        except OSError as error:
            return error.errno != errno.ENOENT
    return True


def _has_packet_sockets() -> bool:
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
    except OSError:
        return False
    return True


def _check(kind: str, feature: _Feature, *, found: bool) -> Check:
    name = f"{kind} {feature.name}"
    if found:
        return Check(_SECTION, name, "ok", feature.purpose, required=feature.required)
    mend = f"needs {feature.option} for {feature.purpose}: {_where_modules_are()}"
    return Check(_SECTION, name, "missing", "not in this kernel", mend, feature.required)


def _where_modules_are() -> str:
    if Path("/etc/os-release").exists() and "ID=ubuntu" in Path("/etc/os-release").read_text().splitlines():
        return "sudo apt-get install linux-modules-extra-$(uname -r)"
    return "the distribution's own kernel has it (Debian: linux-image-amd64)"


def _check_control(name: str, available: list[str]) -> Check:
    default = read_sysctl("net.ipv4.tcp_congestion_control")
    found = "the machine's default" if name == default else "available"
    if name in available:
        return Check(_SECTION, f"tcp {name}", "ok", found)
    return Check(
        _SECTION, f"tcp {name}", "missing", "not available", f"sudo modprobe tcp_{name}", required=name == "cubic"
    )


def _check_packet_sockets(*, found: bool) -> Check:
    name = "packet sockets"
    if found:
        return Check(_SECTION, name, "ok", "captures", required=False)
    mend = "needs CONFIG_PACKET, and in a container --cap-add NET_RAW   (for captures)"
    return Check(_SECTION, name, "missing", "refused", mend, required=False)


def _check_tun() -> Check:
    purpose = "for delays where the kernel has no netem"
    if os.access(_TUN, os.R_OK | os.W_OK):
        return Check(_SECTION, "tun", "ok", "the delay box", required=False)
    if _TUN.exists():
        return Check(
            _SECTION, "tun", "missing", "may not be opened", f"sudo chmod 666 {_TUN}   ({purpose})", required=False
        )
    mend = f"sudo modprobe tun, and in a container --device {_TUN}   (CONFIG_TUN; {purpose})"
    return Check(_SECTION, "tun", "missing", f"no {_TUN}", mend, required=False)


def _check_open_vswitch() -> Check:
    if Path("/sys/module/openvswitch").exists():
        return Check(_SECTION, "openvswitch", "ok", "loaded", required=False)
    mend = "not needed by the testbed; plain `mn` can use --switch lxbr instead"
    return Check(_SECTION, "openvswitch", "missing", "not loaded", mend, required=False)
