"""Asking trackers over HTTP and UDP: one call, one answer or one reason why there is none."""

from peer.runtime.trackers.client import TrackerClient
from peer.runtime.trackers.failure import TrackerFailure
from peer.runtime.trackers.patience import Patience

__all__ = ["Patience", "TrackerClient", "TrackerFailure"]
