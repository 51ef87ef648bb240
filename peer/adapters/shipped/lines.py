"""Clients that are libraries: a small program around each prints its state as lines of JSON, and joins at a gate.

{"kind": "up"}                                                      it can take the torrent
{"kind": "state", "is_complete": false, ..., "neighbours": [["198.18.0.5:6881", true, 16384, 0]]}
"""

import json
import os
from pathlib import Path
from typing import Final

from peer.adapters.adapter import Adapter, Neighbour, Place, State

_UNKNOWN: Final = State(is_complete=False, received=0, sent=0, is_announced=False)


class Telling(Adapter):
    """A client whose program tells its state without being asked."""

    is_heard = True

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._gate: Final = place.folder / "join"
        self._state = _UNKNOWN
        self._is_up = False

    def make_gate(self) -> Path:
        """Make the pipe that the program reads before it joins."""
        os.mkfifo(self._gate)
        return self._gate

    def is_up(self) -> bool:
        return self._is_up

    def join(self) -> None:
        self._gate.write_text("join\n")

    def state(self) -> State:
        return self._state

    def hear(self, line: str) -> None:
        said = json.loads(line)
        if said.pop("kind") == "up":
            self._is_up = True
        else:
            neighbours = [Neighbour(*each) for each in said.pop("neighbours")]
            self._state = State(**said, neighbours=neighbours)
