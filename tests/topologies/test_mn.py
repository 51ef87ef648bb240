"""Mininet's own `mn` runs the three files, in namespaces without access to this machine's network."""

import os
import shutil
import subprocess
from types import ModuleType

import pytest

from topologies import star, tree, two_isps

# mn and its Linux bridges come with Debian's packages mininet, bridge-utils and iputils-ping.
TOOLS = ("/usr/bin/mn", "brctl", "ping")
ALONE = """
mount -t sysfs sysfs /sys; mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /tmp
mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys
ip link set lo up; exec "$@"
"""

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(os.geteuid() != 0, reason="mn runs as root only"),
    pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}"),
]


def mn(topology: ModuleType, *options: str) -> str:
    """Run mn on Linux bridges, where it cannot import the testbed; return what it prints."""
    alone = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", ALONE, "sh"]
    command = ["/usr/bin/mn", "--switch", "lxbr", "--controller", "none", "--custom", str(topology.__file__), *options]
    done = subprocess.run(alone + command, cwd="/", capture_output=True, text=True, timeout=60, check=True)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("topology", "wanted", "pings"),
    [(star, "star,n=3", 6), (two_isps, "two-isps,n=1", 2), (tree, "tree,depth=2,fanout=2,trunk=10e6", 12)],
)
def test_every_host_reaches_every_other(topology: ModuleType, wanted: str, pings: int) -> None:
    printed = mn(topology, "--topo", wanted, "--test", "pingall")
    assert f"0% dropped ({pings}/{pings} received)" in printed


def test_mininet_shapes_links_and_ignores_our_parameters() -> None:
    options = ["--topo", "star,n=2,up=8e6,down=12000000,queue=100,acks=shared", "--link", "tc", "--test", "pingall"]
    printed = mn(star, *options)
    assert printed.count("(8.00Mbit) (12.00Mbit)") == 2
    assert "0% dropped (2/2 received)" in printed
