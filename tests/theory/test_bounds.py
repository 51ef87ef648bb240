"""The bounds: the textbook's figures, and properties of any bound."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.theory import (
    Downloader,
    Swarm,
    client_server_bound,
    p2p_bound,
    payload_share,
)
from tests.theory.swarms import swarms

HOUR = 3600


def textbook(peers: int) -> Swarm:
    """F/u is one hour, u_s = 10 u, and no download limits."""
    return Swarm(size=HOUR, server_up=10, peers=(Downloader(up=1, down=10),) * peers)


@pytest.mark.parametrize(("peers", "hours"), [(1, 0.1), (10, 1.0), (30, 3.0), (35, 3.5)])
def test_client_server_bound_matches_textbook(peers: int, hours: float) -> None:
    assert client_server_bound(textbook(peers)).seconds == pytest.approx(hours * HOUR)


@pytest.mark.parametrize(("peers", "hours"), [(1, 0.1), (10, 0.5), (30, 0.75), (35, 35 / 45)])
def test_p2p_bound_matches_textbook(peers: int, hours: float) -> None:
    assert p2p_bound(textbook(peers)).seconds == pytest.approx(hours * HOUR)


@pytest.mark.parametrize(
    ("swarm", "limit"),
    [
        (Swarm(100, 1, (Downloader(50, 50), Downloader(50, 50))), "server"),
        (Swarm(100, 10, (Downloader(50, 50), Downloader(50, 2))), "download"),
        (Swarm(100, 10, (Downloader(1), Downloader(1))), "uploads"),
    ],
)
def test_each_term_can_limit(swarm: Swarm, limit: str) -> None:
    assert p2p_bound(swarm).limit == limit


def test_partial_and_late_peers_count_by_need() -> None:
    swarm = Swarm(100, 10, (Downloader(10, 20, held=0.5), Downloader(10, 20, arrival=7)))
    assert client_server_bound(swarm).server == pytest.approx(15)
    bound = p2p_bound(swarm)
    assert (bound.server, bound.download, bound.uploads) == pytest.approx((100 / 20, 7 + 100 / 20, 150 / 30))


def test_bound_starts_at_first_arrival() -> None:
    early, late = (Swarm(100, 10, (Downloader(10, inf, arrival=at),)) for at in (0, 60))
    assert p2p_bound(late).seconds == p2p_bound(early).seconds + 60
    assert client_server_bound(late).seconds == client_server_bound(early).seconds + 60


@given(swarms())
def test_p2p_bound_never_exceeds_client_server(swarm: Swarm) -> None:
    assert p2p_bound(swarm).seconds <= client_server_bound(swarm).seconds * (1 + 1e-12)


@given(swarms(), st.integers(40, 9000))
def test_headers_lengthen_bound_by_their_share(swarm: Swarm, segment: int) -> None:
    share = payload_share(segment)
    assert p2p_bound(swarm.in_payload(share)).seconds == pytest.approx(p2p_bound(swarm).seconds / share)


def test_full_segment_has_1448_of_1514_bytes() -> None:
    assert payload_share() == 1448 / 1514
    with pytest.raises(ValueError, match="at least 1 byte"):
        payload_share(0)


def test_swarm_needs_a_peer() -> None:
    with pytest.raises(ValueError, match="at least one peer"):
        Swarm(100, 10, ())
