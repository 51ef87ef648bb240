"""Arbitrary input: decoders accept or refuse any bytes, and no strategy breaks, whatever happens to its client."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.encoding import encode
from contract.events import Level
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.strategies.registry import STRATEGIES
from peer.simulation.swarm import VirtualSwarm, virtual_torrent
from tests.peer.fuzz.mind import LIVES, PIECES, Mind, Step
from tests.peer.fuzz.targets import TARGETS, Rounds, mutate

INFO = virtual_torrent(PIECES, 64 << 10)
INPUTS_A_ROUND = 300
MOST_EVENTS = 20_000
"""In a swarm: over links without a limit, wrong blocks would go on without an end."""
NAMES, PROFILE_NAMES = st.sampled_from(sorted(STRATEGIES)), st.sampled_from(sorted(PROFILES))
PLACES = {"most_neighbours": 4, "most_per_host": 2, "dials_up_to": 3}


@pytest.mark.parametrize("name", TARGETS)
def test_mutated_input_is_read_or_refused(name: str, rounds: Rounds) -> None:
    target = TARGETS[name]
    for good in target.good:
        target.read(good)
    for rng in rounds():
        for _ in range(INPUTS_A_ROUND):
            data = mutate(rng.choice(target.good), rng)
            try:
                target.run(data)
            except Exception as error:
                error.add_note(f"{name}: {data!r}")
                raise


@given(
    NAMES,
    PROFILE_NAMES,
    st.none() | st.integers(0, PIECES),
    LIVES,
)
@settings(max_examples=300)
def live(strategy: str, profile: str, have: int | None, steps: list[Step]) -> None:
    mind = Mind(strategy, replace(PROFILES[profile], **PLACES), INFO, have=have, is_magnet=have is None)
    mind.live(steps)
    mind.leave()
    assert mind.open == []


def test_no_life_breaks_a_session_of_any_strategy(rounds: Rounds) -> None:
    for _ in rounds():
        live()


MEMBERS = st.fixed_dictionaries(
    {
        "strategy": NAMES,
        "up": st.sampled_from([10_000, 80_000, None]),
        "down": st.sampled_from([100_000, None]),
        "at": st.floats(0, 20),
        "is_seed": st.booleans(),
        "corrupts": st.booleans(),
    }
)


@given(PROFILE_NAMES, st.lists(MEMBERS, min_size=2, max_size=6), st.floats(0, 60), st.integers(0, 100))
@settings(max_examples=20)
def swarm(profile: str, members: list[dict[str, Any]], vanishes_at: float, seed: int) -> None:
    made = VirtualSwarm(INFO, seed=seed, profile=replace(PROFILES[profile].scaled(10), **PLACES), level=Level.FULL)
    peers = [made.add(str(number), **member) for number, member in enumerate(members)]
    made.call_at(vanishes_at, lambda: made.vanish("0"))
    made.run(60, stop=lambda: sum(len(peer.events) for peer in peers) > MOST_EVENTS)
    for peer in peers:
        for now, event in peer.events:
            encode(event, now)


def test_no_swarm_of_drawn_strategies_breaks(rounds: Rounds) -> None:
    for _ in rounds():
        swarm()
