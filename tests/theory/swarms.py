"""Drawn flash crowds."""

from math import inf

from hypothesis import strategies as st

from testbed.theory import Downloader, Swarm

RATES = st.floats(1e3, 1e9)


@st.composite
def swarms(draw: st.DrawFn, most: int = 40) -> Swarm:
    """Draw 1 to `most` peers; some do not upload, some have no download limit."""
    ups = st.one_of(st.just(0.0), RATES)
    downs = st.one_of(st.just(inf), RATES)
    peers = draw(st.lists(st.builds(Downloader, up=ups, down=downs), min_size=1, max_size=most))
    return Swarm(draw(st.floats(1e3, 1e12)), draw(RATES), tuple(peers))
