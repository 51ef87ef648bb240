"""All that the proof knows of the project: a move or a rename is mended here, and nowhere else.

What was recorded has the old names. The tables below say what became of them: new output is read as if it had the old.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

# The project's names, which move.
from contract.encoding import encode, encode_header
from contract.events import Level
from contract.events import TraceEvent as Fact
from peer.bittorrent.client.program import describe_setup as describe
from peer.bittorrent.engine.profile import PROFILES, Profile
from peer.bittorrent.wire.bitfield import Bitfield
from peer.simulation.swarm import VirtualSwarm, virtual_torrent

__all__ = [
    "PROFILES",
    "Bitfield",
    "Fact",
    "Level",
    "Profile",
    "VirtualSwarm",
    "describe",
    "encode",
    "encode_header",
    "virtual_torrent",
]

REPOSITORY: Final = Path(__file__).resolve().parents[2]
EXPERIMENTS: Final = REPOSITORY / "experiments"
TESTBED: Final = Path(sys.prefix, "bin", "testbed")
PLAN: Final = "plan.json"
RECORD: Final = "trial.json"
TRACES: Final = "*.jsonl.gz"
COUNTERS: Final = "counters.csv.gz"
SUMMARY: Final = "summary"

# New name: old name. `event.field` and `table.column` rename in one kind of line or table alone.
RENAMED_FACTS: Final[Mapping[str, str]] = {}
RENAMED_FIELDS: Final[Mapping[str, str]] = {}
"""Of lines of traces, of plans, of records of trials, and columns of `counters`."""
RENAMED_IN_PLANS: Final[Mapping[str, str]] = {"hosts": "cast", "trace_level": "trace"}
"""Of plans alone: old plans and records are still read with the old names."""
RENAMED_COLUMNS: Final[Mapping[str, str]] = {}
"""Also the words in the column `measure` of the summary."""
RENAMED_STRATEGIES: Final[Mapping[str, str]] = {}

# What is new since is left out of the output, and columns that are gone out of the record.
ADDED_FACTS: Final[frozenset[str]] = frozenset()
ADDED_FIELDS: Final[frozenset[str]] = frozenset()
ADDED_COLUMNS: Final[frozenset[str]] = frozenset({"trials.payload_audit"})
DROPPED_COLUMNS: Final[frozenset[str]] = frozenset()
