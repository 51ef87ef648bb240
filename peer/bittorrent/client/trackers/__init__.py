"""Announcing to trackers over HTTP and UDP: one call, one answer or one failure."""

from peer.bittorrent.client.trackers.client import TrackerClient
from peer.bittorrent.client.trackers.limits import Timeouts, TrackerFailure

__all__ = ["Timeouts", "TrackerClient", "TrackerFailure"]
