"""Whatever neighbours say, nodes of overlays go on, can write what they send, and keep no more than they may."""

from math import inf
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.peer.fuzz.nodes import CASES, Siege, vary
from tests.peer.fuzz.targets import Rounds

FLOOD = 600
MILLISECOND = 0.001

each_case = pytest.mark.parametrize("name", CASES)


@each_case
def test_no_life_breaks_a_node(name: str, rounds: Rounds) -> None:
    @given(st.lists(CASES[name].messages, max_size=25), st.floats(0, 5), st.integers(0, 1_000))
    @settings(max_examples=10)
    def live(messages: list[Any], wait: float, seed: int) -> None:
        siege = Siege(CASES[name], Random(seed))
        for number, message in enumerate(messages):
            siege.hear(message)
            siege.pass_time(wait)
            if number % 10 == 0:
                siege.search("generic song")
        siege.leave()
        assert siege.node.next_deadline() == inf

    for _ in rounds():
        live()


@each_case
def test_floods_do_not_fill_a_node(name: str, rounds: Rounds) -> None:
    """Each message comes again and again with other identities, addresses and keys."""

    @given(st.lists(CASES[name].messages, min_size=5, max_size=30), st.integers(0, 1_000))
    @settings(max_examples=1)
    def flood(messages: list[Any], seed: int) -> None:
        rng = Random(seed)
        siege = Siege(CASES[name], rng)
        for number in range(FLOOD):
            siege.hear(vary(messages[number % len(messages)], rng))
            if number % 50 == 0:
                siege.pass_time(50 * MILLISECOND)
        siege.pass_time(60)
        siege.leave()

    for _ in rounds():
        flood()
