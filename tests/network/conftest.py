"""Networks for tests: described only, or built in a sandbox."""

from collections.abc import Callable
from typing import TypeVar

import pytest
from mininet.topo import Topo

from testbed.network import Network, network, sandbox
from testbed.network.fabric import Fabric
from testbed.network.network import EmulatedMininet

T = TypeVar("T")


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> Callable[[Topo], Fabric]:
    """Read a topology as a network would, and make nothing."""

    def read(topology: Topo) -> Fabric:
        mininet = EmulatedMininet(topology, "cubic", seed=0)
        mininet.build()
        return mininet.fabric

    monkeypatch.setattr(network, "build", lambda *_described, **_options: {})
    monkeypatch.setattr(network, "has_qdisc", lambda _kind: True)
    return read


@pytest.fixture
def on_network() -> Callable[..., object]:
    """Build a network in a sandbox, look at it there, and return what was seen."""

    def look_at(topology: Topo, look: Callable[[Network], T], **options: object) -> T:
        def body() -> T:
            with Network(topology, **options) as built:
                return look(built)

        return sandbox.run(body)

    return look_at


@pytest.fixture
def without_netem(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have delays made by the delay box, also on a kernel that has netem."""
    monkeypatch.setattr(network, "has_qdisc", lambda kind: kind != "netem")
