"""The emulated network: sandbox, hosts, shaped links, and their measurement."""

from testbed.network import sandbox
from testbed.network.build.nodes import Core, EmulatedHost, NodeError
from testbed.network.links.shape import Impairment, ShapeError
from testbed.network.network import Network
from testbed.network.processes.processes import Process, ProcessError

__all__ = [
    "Core",
    "EmulatedHost",
    "Impairment",
    "Network",
    "NodeError",
    "Process",
    "ProcessError",
    "ShapeError",
    "sandbox",
]
