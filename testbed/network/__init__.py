"""The emulated network: sandbox, hosts, shaped links, and their measurement."""

from testbed.network import sandbox
from testbed.network.network import Network
from testbed.network.nodes import Core, EmulatedHost, NodeError, ShapedLink
from testbed.network.processes import Process, ProcessError
from testbed.network.shape import Impairment, Shape, ShapeError

__all__ = [
    "Core",
    "EmulatedHost",
    "Impairment",
    "Network",
    "NodeError",
    "Process",
    "ProcessError",
    "Shape",
    "ShapeError",
    "ShapedLink",
    "sandbox",
]
