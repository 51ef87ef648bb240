"""All that an adapter of your own imports from us."""

from contract.programs import BYTES, CHOKES, FAULTS, NEIGHBOURS, PIECES, UNTOLD, WASTE
from peer.adapters.adapter import Adapter, Neighbour, Place, State
from peer.adapters.program import AdapterError, output_of, version_in
from peer.adapters.rpc import call

__all__ = [
    "BYTES",
    "CHOKES",
    "FAULTS",
    "NEIGHBOURS",
    "PIECES",
    "UNTOLD",
    "WASTE",
    "Adapter",
    "AdapterError",
    "Neighbour",
    "Place",
    "State",
    "call",
    "output_of",
    "version_in",
]
