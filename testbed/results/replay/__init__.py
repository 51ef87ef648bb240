"""What happened in a trial, so that it can be shown again: who sent what to whom, and when."""

from testbed.results.replay.choosing import Choice, choose
from testbed.results.replay.reading import read_replay
from testbed.results.replay.searches import SearchReplay
from testbed.results.replay.swarm import Replay

__all__ = ["Choice", "Replay", "SearchReplay", "choose", "read_replay"]
