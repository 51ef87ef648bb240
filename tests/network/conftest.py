"""Networks for tests: described only, or without netem."""

from collections.abc import Callable

import pytest
from mininet.topo import Topo

from testbed.network import network
from testbed.network.build.fabric import Fabric
from testbed.network.network import EmulatedMininet


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> Callable[[Topo], Fabric]:
    """Read a topology as a network would, and make nothing."""

    def read(topology: Topo) -> Fabric:
        mininet = EmulatedMininet(topology, "cubic", seed=0)
        mininet.build()
        return mininet.fabric

    monkeypatch.setattr(network, "build_network", lambda *_described, **_options: {})
    monkeypatch.setattr(network, "has_qdisc", lambda _kind: True)
    return read


@pytest.fixture
def without_netem(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have delays made by the delay box, also on a kernel that has netem."""
    monkeypatch.setattr(network, "has_qdisc", lambda kind: kind != "netem")
