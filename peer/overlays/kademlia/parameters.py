"""What a node's owner can choose. The defaults are those of BEP 5; where it has none, libtorrent's."""

from dataclasses import dataclass
from typing import Final

MINUTE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Parameters:
    """The constants of a node."""

    k: int = 8
    """Nodes in a bucket, nodes in an answer, and nodes that keep a peer."""
    alpha: int = 3
    """Questions of one lookup that wait for an answer at the same time."""
    ends_at_values: bool = False
    """Whether a search ends with the first values (the paper's FIND_VALUE), or goes on to the k closest (BEP 5)."""
    timeout: float = 15.0
    """When a question counts as not answered; libtorrent's."""
    slow_after: float = 1.0
    """When a lookup asks another in the place of one that has not answered; its answer may still come. libtorrent's."""
    bad_after: int = 2
    """Questions in a row without an answer that make a node bad: BEP 5 has it tried once more."""
    good_for: float = 15 * MINUTE
    """How long after its last sign of life a node is good; then it is questionable."""
    refresh_after: float = 15 * MINUTE
    """When a bucket that has not changed is refreshed by a lookup."""
    refreshes_at_start: bool = False
    """Whether a node that joined refreshes all buckets beyond its closest neighbour at once, as the paper has it."""
    secret_period: float = 5 * MINUTE
    """How often the secret of tokens changes; a token is good for up to twice as long."""
    peer_lifetime: float = 45 * MINUTE
    """How long a stored peer is kept without a new announcement; libtorrent's."""
    announce_period: float = 15 * MINUTE
    """How often what is shared is announced again; libtorrent's."""
    most_keys: int = 2_000
    """Keys with stored peers; libtorrent's."""
    most_peers: int = 500
    """Peers stored for one key; libtorrent's."""
    peers_an_answer: int = 100
    """libtorrent's; they fit a datagram that is not fragmented."""
    is_read_only: bool = False
    """Whether to answer nobody, and to ask others not to remember us (BEP 43)."""
    has_secure_ids: bool = False
    """Whether ids follow from addresses, our own and those of the nodes that we accept (BEP 42)."""
    one_per_host: bool = False
    """Whether to accept only one node of each host in tables and in lookups, as libtorrent does."""
    most_candidates: int = 100
    """Nodes that one lookup remembers, the closest; libtorrent's."""
    most_asked: int = 200
    """Nodes that one lookup asks at most: answers of hostile nodes could go on for ever."""
    most_found: int = 1_000
    """Peers that one lookup takes at most."""
    most_questions: int = 1_024
    """Questions of this node that wait for an answer at the same time, those of all lookups together."""
    lookups_at_once: int = 8
    """Lookups of announcements and refreshes at the same time; others wait."""
    join_again_after: float = 10.0
    """When to try again to join, if no known node answered; twice as long after each time, up to `refresh_after`."""


DEFAULT: Final = Parameters()
PAPER: Final = Parameters(
    k=20,
    ends_at_values=True,
    good_for=60 * MINUTE,
    refresh_after=60 * MINUTE,
    refreshes_at_start=True,
    peer_lifetime=24 * 60 * MINUTE,
    announce_period=60 * MINUTE,
)
"""The constants of the paper (Maymounkov and Mazieres 2002), with the messages of BEP 5."""
