"""What is known of one node: who it is, and when it last gave a sign of life."""

from math import inf
from typing import Final

from peer.overlays.kademlia.parameters import Parameters
from peer.overlays.kademlia.wire.messages import NodeInfo


class Contact:
    """A node that answered us, or of which we only heard."""

    __slots__ = ("answered_at", "asked_at", "failures", "info")

    def __init__(self, info: NodeInfo, answered_at: float = -inf, asked_at: float = -inf) -> None:
        self.info: Final = info
        self.answered_at = answered_at
        """When it last answered a question of ours."""
        self.asked_at = asked_at
        """When it last asked us something."""
        self.failures = 0
        """Questions in a row that it did not answer."""

    @property
    def has_answered(self) -> bool:
        return self.answered_at > -inf

    @property
    def seen_at(self) -> float:
        return max(self.answered_at, self.asked_at)

    def is_good(self, now: float, parameters: Parameters) -> bool:
        """Whether it answered lately, or answered once and asked lately (BEP 5)."""
        answered_at = self.answered_at
        if answered_at == -inf or self.failures:
            return False
        return now - (max(self.asked_at, answered_at)) < parameters.good_for

    def is_bad(self, parameters: Parameters) -> bool:
        """Whether it is gone, as far as we can see."""
        return self.failures >= parameters.bad_after
