"""A small flash crowd in virtual time, in which one peer is different."""

from peer.bittorrent.engine.profile import PROFILES, Profile
from peer.simulation.swarm import VirtualPeer, VirtualSwarm, a_torrent

KIB = 1024
COURSE = PROFILES["course"].scaled(10)
"""A rechoke period of 1 s: a short swarm has many rounds."""


class Crowd:
    """A seed, standard leeches, and a lone leech with a strategy and its parameters."""

    def __init__(
        self,
        strategy: str,
        *,
        leeches: int = 8,
        pieces: int = 32,
        seed: int = 1,
        seed_up: int = 256,
        up: int = 64,
        profile: Profile = COURSE,
        neighbours: int | None = None,
        **parameters: object,
    ) -> None:
        self.swarm = VirtualSwarm(a_torrent(pieces, 64 * KIB), profile=profile, seed=seed)
        self.seed = self.swarm.add("seed", up=seed_up * KIB, is_seed=True)
        own: dict[str, object] = {} if neighbours is None else {"neighbours": neighbours}
        self.others = [self.swarm.add(f"leech {n}", up=up * KIB, **own) for n in range(leeches)]
        self.lone: VirtualPeer = self.swarm.add("lone", up=up * KIB, down=KIB**2, strategy=strategy, **parameters)

    def run(self, limit: float = 600) -> "Crowd":
        """Let time pass until all peers have completed."""
        leeches = [*self.others, self.lone]
        self.swarm.run(limit, stop=lambda: all(peer.completed_at is not None for peer in leeches))
        return self

    @property
    def took(self) -> float:
        """When the lone leech completed."""
        assert self.lone.completed_at is not None
        return self.lone.completed_at
