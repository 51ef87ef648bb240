"""Checks what all tests marked vm rely on: a kernel with netem."""

import json
import subprocess

import pytest

SCRIPT = """
set -e
ip link add left type veth peer name right
tc qdisc add dev left root handle 1: htb default 1
tc class add dev left parent 1: classid 1:1 htb rate 10mbit
tc qdisc add dev left parent 1:1 netem delay 20ms loss 1%
tc -json qdisc show dev left
"""


@pytest.mark.vm
def test_netem_sits_under_htb_on_a_veth() -> None:
    shown = subprocess.run(["unshare", "--net", "sh", "-c", SCRIPT], capture_output=True, text=True, check=True)
    netem = next(qdisc for qdisc in json.loads(shown.stdout) if qdisc["kind"] == "netem")
    assert netem["options"]["delay"]["delay"] == pytest.approx(0.020)
    assert netem["options"]["loss-random"]["loss"] == pytest.approx(0.01)


@pytest.mark.vm
@pytest.mark.parametrize("kind", ["veth", "ifb", "dummy", "bridge"])
def test_kernel_makes_every_kind_of_link(kind: str) -> None:
    subprocess.run(["unshare", "--net", "ip", "link", "add", "link0", "type", kind], check=True)
