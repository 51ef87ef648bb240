"""What a servent is: a peer of 0.4, a leaf or an ultrapeer; and the rules by which that is elected."""

from math import inf
from typing import Final

from peer.overlays.gnutella.links import Other
from peer.overlays.gnutella.parameters import Capability, ElectionParameters, Parameters


def may_be_ultrapeer(able: Capability, uptime: float, rules: ElectionParameters) -> bool:
    """Whether the rules let a servent be an ultrapeer, or a supernode.

    The level is what the servent says of itself: a client that claims more passes.
    """
    is_fast = able.upload >= rules.upload and able.download >= rules.download
    return is_fast and not able.is_firewalled and uptime >= rules.uptime and able.first_claim >= rules.level


class Standing:
    """The role of one servent, now."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters: Final = parameters
        self._is_elected: Final = parameters.role == "elected"
        roles = {"peer": Other.PEER, "ultrapeer": Other.ULTRAPEER}
        self.role = roles.get(parameters.role, Other.LEAF)
        self._started = 0.0
        self._alone_since = 0.0
        """Since when it has had no ultrapeer; infinite while it has one."""

    def start(self, now: float) -> None:
        self._started = self._alone_since = now

    @property
    def is_leaf(self) -> bool:
        return self.role is Other.LEAF

    @property
    def is_ultrapeer(self) -> bool:
        return self.role is Other.ULTRAPEER

    @property
    def wanted(self) -> int:
        """How many neighbours it dials for, leaves aside."""
        neighbours = self._parameters.neighbours
        if self.role is Other.PEER:
            return neighbours.wanted
        return neighbours.ultrapeers if self.is_ultrapeer else neighbours.ultrapeers_of_a_leaf

    @property
    def most(self) -> int:
        """How many neighbours it takes at most, leaves aside."""
        return self._parameters.neighbours.most if self.role is Other.PEER else self.wanted

    def has_ultrapeers(self, count: int, now: float) -> None:
        """Note whether there is somebody who asks for us."""
        if count:
            self._alone_since = inf
        elif self._alone_since == inf:
            self._alone_since = now

    @property
    def deadline(self) -> float:
        """When it may become an ultrapeer; infinite if it may not."""
        able, rules = self._parameters.capability, self._parameters.election
        if not (self._is_elected and self.is_leaf and may_be_ultrapeer(able, inf, rules)):
            return inf
        return max(self._started + rules.uptime, self._alone_since + rules.wait)

    def promote(self, now: float) -> bool:
        """Become an ultrapeer if the time has come; returns whether it did."""
        if self.deadline > now:
            return False
        self.role = Other.ULTRAPEER
        return True

    def demote(self) -> bool:
        """Become a leaf, as an ultrapeer says that there are enough; returns whether it did."""
        if not (self._is_elected and self.is_ultrapeer):
            return False
        self.role, self._alone_since = Other.LEAF, inf
        return True
