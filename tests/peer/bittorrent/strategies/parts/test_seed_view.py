"""The view that a seed hiding its pieces keeps of its neighbours."""

from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.strategies.parts.seed_view import SeedView

STEPS = st.lists(st.tuples(st.sampled_from(["came", "heard", "told", "gone"]), st.integers(0, 4), st.integers(0, 7)))


@given(STEPS)
def test_copies_and_known_pieces_match_present_neighbours(steps: list[tuple[str, int, int]]) -> None:
    view = SeedView()
    has: dict[int, set[int]] = {}
    knows: dict[int, set[int]] = {}
    for what, key, index in steps:
        if what == "came" and key not in has:
            view.add(key, 8)
            has[key], knows[key] = set(), set()
        elif what == "heard":
            view.record_have(key, index)
            if key in has:
                has[key].add(index)
                knows[key].add(index)
        elif what == "told" and key in has:
            view.record_announced(key, index)
            knows[key].add(index)
        elif what == "gone":
            gone = view.retain(has.keys() - {key})
            assert gone == ([key] if key in has else [])
            has.pop(key, None)
    assert list(view) == list(has)
    for index in range(8):
        assert view.copies[index] == sum(index in pieces for pieces in has.values())
    for key in has:
        assert set(view.unannounced(key)) == set(range(8)) - knows[key]
