"""Random inputs of chokers."""

from dataclasses import replace

from hypothesis import strategies as st

from peer.bittorrent.engine.strategy import Candidate, ChokingView, Trigger

candidates = st.builds(
    Candidate,
    key=st.just(0),
    known_for=st.floats(0, 1_000),
    is_interested=st.booleans(),
    interests_us=st.booleans(),
    is_unchoked=st.booleans(),
    unchokes_us=st.booleans(),
    is_snubbed=st.booleans(),
    is_seed=st.booleans(),
    have_count=st.integers(0, 100),
    have_rate=st.floats(0, 100),
    received_rate=st.floats(0, 1e7),
    sent_rate=st.floats(0, 1e7),
)


def neighbourhoods(most: int = 12) -> st.SearchStrategy[list[Candidate]]:
    """Draw neighbours with distinct keys."""

    def numbered(drawn: list[Candidate]) -> list[Candidate]:
        return [replace(each, key=key) for key, each in enumerate(drawn, 1)]

    return st.lists(candidates, max_size=most).map(numbered)


views = st.builds(
    ChokingView,
    now=st.floats(0, 1_000),
    trigger=st.sampled_from(Trigger),
    candidates=neighbourhoods(),
    is_seed=st.booleans(),
    capacity=st.none() | st.floats(1, 1e7),
    piece_length=st.just(65_536),
)
