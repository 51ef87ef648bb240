"""Traces of randomly drawn swarms in virtual time, with every strategy and every profile.

The draws depend only on the names listed here, so they stay the same; strategies added later are not drawn.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final

from benchmarks.behaviour.output import Output
from benchmarks.behaviour.project import (
    PROFILES,
    RENAMED_STRATEGIES,
    Bitfield,
    Fact,
    Level,
    VirtualSwarm,
    describe,
    encode,
    encode_header,
    virtual_torrent,
)
from benchmarks.behaviour.renaming import new_name, old_line, old_value

COUNT: Final = 40
DRAWN_FROM: Final = 20
LIMIT: Final = 300.0
"""Virtual seconds. Without a limit, a peer would wait for ever for a piece that no peer has any more."""
AFTERWARDS: Final = 40.0
"""Virtual seconds that a swarm continues after all its peers are complete."""
MOST_FACTS: Final = 20_000
"""Ends a swarm in which false blocks over an unlimited link would go on without end."""
KB: Final = 1_000

STRATEGIES: Final = [
    "tit-for-tat",
    "sequential",
    "random-order",
    "random-unchoke",
    "optimistic-only",
    "no-optimistic",
    "bittyrant",
    "propshare",
    "bitthief",
    "large-view",
    "seeds-only",
    "fastest-only",
    "false-pieces",
    "under-report",
    "sybil",
    "whitewash",
    "seed-drain",
    "polluter",
    "selfish",
    "altruist",
    "seed-round-robin",
    "seed-fastest",
    "anti-leech",
    "super-seeding",
    "swift",
]
SERVERS: Final = ["tit-for-tat", "seed-round-robin", "seed-fastest", "anti-leech", "super-seeding", "swift", "altruist"]
PARAMETERS: Final[Mapping[str, Sequence[Mapping[str, object]]]] = {
    "bittyrant": [{}, {"excess": "withheld"}, {"first_price": 20_000}],
    "bitthief": [{}, {"pretends": True}, {"garbage": True}, {"connections": 3}],
    "false-pieces": [{}, {"answer": "nothing"}],
    "polluter": [{"claims": "own"}, {"claims": "all"}],
    "sybil": [{"identities": 2}, {"identities": 3}],
    "tit-for-tat": [{}, {"slots": 2}],
    "under-report": [{}, {"ahead": 2}],
}
PROFILE_NAMES: Final = ["course", "bep3", "mainline", "libtorrent", "testbed"]
DEPARTURES: Final = ("stay", "stay", "stay", "at-completion", "5 s after completion", "at ratio 1.2", "at 40 % for 6 s")


@dataclass(frozen=True)
class Member:
    """One peer of a drawn swarm; rates in bytes/s."""

    name: str
    strategy: str
    parameters: Mapping[str, object]
    profile: str
    up: float | None
    down: float | None
    at: float = 0.0
    held: tuple[int, ...] | None = None
    is_seed: bool = False
    corrupts: bool = False


@dataclass(frozen=True)
class Drawn:
    """A drawn swarm, and the peers that leave or vanish from it."""

    seed: int
    pieces: int
    piece_length: int
    latency: float
    numwant: int
    time_scale: float
    members: tuple[Member, ...]
    vanishes: tuple[str, float] | None
    leaves: tuple[str, float] | None


class Deck:
    """Deals names in random order, all of them before any is repeated."""

    def __init__(self, rng: Random, names: Sequence[str]) -> None:
        self._rng: Final = rng
        self._names: Final = names
        self._left: list[str] = []

    def deal(self) -> str:
        if not self._left:
            self._left = self._rng.sample(self._names, len(self._names))
        return self._left.pop()


class Drawing:
    """Draws one swarm after another."""

    def __init__(self) -> None:
        self._rng: Final = Random(DRAWN_FROM)
        self._strategies: Final = Deck(self._rng, STRATEGIES)
        self._servers: Final = Deck(self._rng, SERVERS)
        self._profiles: Final = Deck(self._rng, PROFILE_NAMES)

    def draw(self) -> Drawn:
        rng, profile = self._rng, self._profiles.deal()
        pieces = rng.randint(8, 40)
        seeds = [self._server(f"seed{number}", profile) for number in range(rng.choice([1, 1, 2]))]
        leeches = [self._leech(f"leech{number}", profile, pieces) for number in range(rng.randint(2, 8))]
        return Drawn(
            seed=rng.randint(1, 10_000),
            pieces=pieces,
            piece_length=rng.choice([16, 32, 64]) << 10,
            latency=rng.choice([0.002, 0.01, 0.05]),
            numwant=rng.choice([3, 50]),
            time_scale=rng.choice([1, 1, 10, 20]),
            members=(*seeds, *leeches),
            vanishes=self._moment(leeches),
            leaves=self._moment(seeds) if len(seeds) > 1 else None,
        )

    def _moment(self, members: Sequence[Member]) -> tuple[str, float] | None:
        drawn = self._rng.choice(members).name, round(self._rng.uniform(2, 30), 3)
        return drawn if self._rng.random() < 0.3 else None

    def _server(self, name: str, profile: str) -> Member:
        strategy = self._servers.deal()
        up = self._rng.choice([40, 80, 160]) * KB
        return Member(name, strategy, {}, profile, up, None, is_seed=True)

    def _leech(self, name: str, profile: str, pieces: int) -> Member:
        rng, strategy = self._rng, self._strategies.deal()
        other = rng.choice(PROFILE_NAMES)
        departure = {} if strategy in {"selfish", "altruist"} else {"departure": rng.choice(DEPARTURES)}
        return Member(
            name=name,
            strategy=strategy,
            parameters={**departure, **rng.choice(PARAMETERS.get(strategy, [{}]))},
            profile=other if rng.random() < 0.2 else profile,
            up=rng.choice([10 * KB, 20 * KB, 40 * KB, 80 * KB, None]),
            down=rng.choice([None, 100 * KB, 400 * KB]),
            at=rng.choice([0.0, 0.0, round(rng.uniform(0, 20), 3)]),
            held=tuple(sorted(rng.sample(range(pieces), pieces // 3))) if rng.random() < 0.2 else None,
            corrupts=rng.random() < 0.05,
        )


def drawn_swarms() -> list[Drawn]:
    """Return all swarms; each strategy and each profile is in several."""
    drawing = Drawing()
    return [drawing.draw() for _ in range(COUNT)]


def trace_of(drawn: Drawn) -> str:
    """Run a swarm, and return its peers' traces, one event per line."""
    swarm = VirtualSwarm(
        virtual_torrent(drawn.pieces, drawn.piece_length),
        seed=drawn.seed,
        latency=drawn.latency,
        numwant=drawn.numwant,
        seeds_meet_seeds=False,  # as when the record was made
        level=Level.FULL,
    )
    for member in drawn.members:
        _add(swarm, member, drawn)
    for happens, to in ((swarm.vanish, drawn.vanishes), (swarm.leave, drawn.leaves)):
        if to is not None:
            swarm.call_at(to[1], partial(happens, to[0]))
    swarm.run(LIMIT, stop=lambda: _is_over(swarm))
    swarm.run(swarm.now + AFTERWARDS, stop=lambda: _is_long(swarm))
    lines = (_line(name, fact, now) for name, peer in swarm.peers.items() for now, fact in peer.events)
    return "".join((f"{drawn}\n", *lines))


def _is_over(swarm: VirtualSwarm) -> bool:
    return _is_long(swarm) or all(peer.session.is_complete for peer in swarm.peers.values() if peer.is_here)


def _is_long(swarm: VirtualSwarm) -> bool:
    return sum(len(peer.events) for peer in swarm.peers.values()) >= MOST_FACTS


def _add(swarm: VirtualSwarm, member: Member, drawn: Drawn) -> None:
    have = None
    if member.held is not None:
        have = Bitfield(drawn.pieces)
        for index in member.held:
            have.add(index)
    swarm.add(
        member.name,
        up=member.up,
        down=member.down,
        have=have,
        is_seed=member.is_seed,
        strategy=new_name(RENAMED_STRATEGIES, member.strategy),
        profile=PROFILES[member.profile].scaled(drawn.time_scale),
        at=member.at,
        corrupts=member.corrupts,
        **member.parameters,
    )


def _line(name: str, fact: Fact, now: float) -> str:
    """Return an event as in the trace, except for the order of its fields."""
    line = old_line(json.loads(encode(fact, now)))
    return "" if line is None else f"{name} {json.dumps(line, sort_keys=True)}\n"


def swarm_traces() -> Iterator[Output]:
    """Yield the traces of each swarm."""
    for number, drawn in enumerate(drawn_swarms(), start=1):
        yield Output.of_text(f"swarm {number:02}", trace_of(drawn))


def profile_headers() -> Iterator[Output]:
    """Yield a trace's first line for each profile, which has also the constants that no short swarm uses."""
    for name in PROFILE_NAMES:
        head = describe(
            profile=PROFILES[name], strategy="tit-for-tat", parameters={}, seed=1, program="proof", time_scale=1
        )
        line = json.loads(encode_header(0.0, 0.0, head))
        yield Output.of_text(f"profile {name}", json.dumps(old_value(line), sort_keys=True, indent=1) + "\n")
