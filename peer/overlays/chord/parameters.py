"""What can be chosen about a node of Chord."""

from dataclasses import dataclass

from peer.overlays.chord.ring import KEY_BITS


@dataclass(frozen=True, slots=True)
class Parameters:
    """All nodes of a ring have the same bits; the rest is each node's own business."""

    bits: int = KEY_BITS
    """Of identifiers; fewer for rings that fit on a page."""
    successors: int = 16
    """How many successors a node knows; the journal version simulates 2 log2 N."""
    routes_by_successors: bool = True
    """Whether lookups use the list of successors beside the fingers (2003), or the first successor only (2001)."""
    is_recursive: bool = False
    """Whether nodes pass a question on, or the asking node asks one after the other, as both papers' prototypes do."""
    replicas: int = 3
    """How many nodes keep a pair: the key's own and the next ones."""
    stabilise_every: float = 30.0
    """Seconds on average, as in the paper; each wait is drawn from half to one and a half of it. Infinite: never."""
    fix_fingers_every: float = 30.0
    fingers_a_round: int = 0
    """How many fingers are looked up in each round, one after the other; 0 are all, as in the simulator of 2001."""
    check_predecessor_every: float = 30.0
    timeout: float = 1.0
    """Seconds until an unanswered message is sent again, and at last its receiver taken for dead."""
    tries: int = 2
    recursive_timeout: float = 30.0
    """Seconds until a question that others pass on is given up."""
    suspect_for: float = 60.0
    """Seconds in which a node that did not answer is not taken back into tables on another's word."""
    refresh_every: float = 600.0
    """Seconds between stores of the same pair by the node that shares it; drawn as above."""
    lifetime: float = 1800.0
    """Seconds after which a pair that nobody refreshed is dropped."""
    stores_at_once: int = 4
    rejoin_after: float = 5.0
    """Seconds between attempts to join."""
    most_steps: int = 400
    """Messages of one lookup, whatever neighbours answer."""
    most_pairs: int = 50_000
    """Pairs that are kept for others."""
    most_values: int = 5_000
    """Of one key: kept, and taken from others."""
    most_forwarded: int = 1_000
    """Questions of others that wait for the next node's receipt."""
    most_suspects: int = 200
