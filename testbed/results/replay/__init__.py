"""What happened in a trial, so that it can be shown again: who sent how much to whom, and when."""

from testbed.results.replay.choosing import Choice, choose
from testbed.results.replay.reading import read_replay
from testbed.results.replay.swarm import Replay

__all__ = ["Choice", "Replay", "choose", "read_replay"]
