"""Everything that the behaviour check needs to know about the project's names. Adapt only this file after a rename.

The record has the old names. The tables below map new names to old ones, so that new output is read with the old names.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeAlias

# Names of the project, which may move.
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

Words: TypeAlias = Mapping[str, str]

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
"""Fields of trace lines, plans and trial records, and columns of `counters`."""
RENAMED_IN_PLANS: Final[Mapping[str, str]] = {"hosts": "cast", "trace_level": "trace"}
"""Fields of plans only: old plans and records are still read with the old names."""
RENAMED_COLUMNS: Final[Mapping[str, str]] = {}
"""Columns of tables, and values in the column `measure` of the summary."""
RENAMED_STRATEGIES: Final[Mapping[str, str]] = {}

# Additions since the record are ignored in new output; dropped columns are ignored in the record.
ADDED_FACTS: Final[frozenset[str]] = frozenset()
ADDED_FIELDS: Final = frozenset({"most_per_host", "served_at_once"})
ADDED_COLUMNS: Final = frozenset({"trials.payload_audit", "trials.captures", "summary.n_failed"})
DROPPED_COLUMNS: Final[frozenset[str]] = frozenset()
ADDED_IN_FIGURES: Final = frozenset({"labels", "names", "units", "scale", "size", "font"})
"""Keys of a plan's figures; they change how a figure looks, and no number in it."""

RECORDED_WORDS: Final[Mapping[str, Words]] = json.loads(Path(__file__).with_name("recorded_words.json").read_text())
"""Title and question of each experiment, as they were when the record was made.

Only people read them, so they are not compared. The record has a digest of each whole plan, from which they can no
longer be left out; instead, new plans get the recorded words before they are compared. Titles of figures are compared,
as figures show them.
"""
NO_WORDS: Final[Words] = {"title": "", "question": ""}
"""Of experiments without recorded words, so that those that are recorded later need none."""
