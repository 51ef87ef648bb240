"""Asking trackers over HTTP and UDP: one call, one answer or one reason why there is none."""

from peer.bittorrent.client.trackers.client import TrackerClient
from peer.bittorrent.client.trackers.failure import TrackerFailure
from peer.bittorrent.client.trackers.patience import Patience

__all__ = ["Patience", "TrackerClient", "TrackerFailure"]
