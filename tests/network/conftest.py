"""Networks for tests: read but not built, or built without netem."""

from collections.abc import Callable

import pytest
from mininet.topo import Topo

from testbed.network import network
from testbed.network.build.fabric import Fabric
from testbed.network.network import EmulatedMininet


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> Callable[[Topo], Fabric]:
    """Return a function that reads a topology as a network would, and builds nothing."""

    def read(topology: Topo) -> Fabric:
        mininet = EmulatedMininet(topology, "cubic", seed=0)
        mininet.build()
        return mininet.fabric

    monkeypatch.setattr(network, "build_network", lambda *_described, **_options: {})
    monkeypatch.setattr(network, "has_qdisc", lambda _kind: True)
    return read


@pytest.fixture
def without_netem(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the delay box even on a kernel that has netem."""
    monkeypatch.setattr(network, "has_qdisc", lambda kind: kind != "netem")
