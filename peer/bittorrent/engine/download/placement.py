"""Where the bytes of an arriving block belong."""

from enum import Enum, auto


class Placement(Enum):
    """Decided when the 13 bytes before a block have come."""

    IN_PLACE = auto()
    """Straight into its place in the torrent: nobody else is writing there."""
    ASIDE = auto()
    """Into memory of its own, as another neighbour is writing the same block; copied if it is first to be whole."""
    NOWHERE = auto()
    """It is not needed: let it pass."""
