"""What can be chosen about a node of Cubit. Its authors' values were not to be read, so the defaults are our own."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameters:
    """All times in seconds."""

    perturbation: float = 0.3
    """Misspelt letters expected of each letter; with a word's length it gives the edits that a search forgives."""
    edits: int | None = None
    """The edits that a search forgives, whatever the word's length; None: by `perturbation`."""
    nearest: int = 8
    """Nodes that a search asks for items at least, the nearest ones, if fewer lie within the forgiven edits."""
    most_nearest: int = 32
    """Nodes that a search asks for items at most."""
    replicas: int = 4
    """How many nodes, those nearest to a word, keep its entries."""
    fan_out: int = 8
    """Nodes that an answer names."""
    paths: int = 3
    """Questions of a search that are under way at the same time."""
    a_ring: int = 8
    """Neighbours in each ring; a ring holds those at one edit distance."""
    rings: int = 12
    """The last ring also holds all that are farther away."""
    leaves: int = 12
    """The nearest neighbours, which are kept whatever their rings say."""
    gossip_every: float = 30.0
    """On average; each wait is drawn from half to one and a half of it."""
    gossips: int = 8
    """Nodes that are told in each direction, and as many that are near."""
    timeout: float = 1.0
    tries: int = 2
    suspect_for: float = 60.0
    refresh_every: float = 600.0
    lifetime: float = 1800.0
    rejoin_after: float = 5.0
    stores_at_once: int = 4
    most_steps: int = 200
    """Messages of the way to one word."""
    most_words: int = 8
    """Of a search, that are looked for; further words are compared with the names that are found."""
    most_entries: int = 50_000
    most_of_word: int = 5_000
    most_answers: int = 1_000
    """Entries that are taken from one node."""
    most_suspects: int = 200

    def forgiven(self, word: str) -> int:
        """Return how many edits a search for a word forgives: q in the authors' description."""
        return int(len(word) * self.perturbation) if self.edits is None else self.edits
