"""A trial in virtual time is what its description says, and ends for the same reasons as a measured one."""

import sys
from collections.abc import Mapping
from typing import Any

import pytest

from peer.bittorrent.strategies.api import StrategyError
from peer.simulation.trial import ALL_ENDED, COMPLETE, TIME_LIMIT, VirtualTrial, make_trial, owner_of

KIB = 1024
PEER = {
    "strategy": "tit-for-tat",
    "profile": "course",
    "time_scale": 10,
    "up": 100_000.0,
    "down": None,
    "delay": 0.0,
    "capacity": 100_000.0,
    "arrival": 0.0,
    "held": 0.0,
    "is_server": False,
    "moves": False,
    "parameters": {},
}


def trial(*peers: Mapping[str, Any], **settings: Any) -> VirtualTrial:
    """Make a trial of a server and these peers, p1, p2 and so on."""
    described = [
        {**PEER, "name": "server", "seed": 0, "is_server": True},
        *({**PEER, "name": f"p{k}", "seed": k, **peer} for k, peer in enumerate(peers, start=1)),
    ]
    common = {"length": 500 * KIB, "piece_length": 32 * KIB, "seed": 1, "time_limit": 100.0}
    tracker = {"numwant": 50, "seeds_meet_seeds": True, "announce_interval": 180}
    return make_trial({**common, **tracker, **settings, "peers": described}, lambda each: each["parameters"])


def never() -> bool:
    return False


def test_trial_is_complete_when_all_peers_are() -> None:
    made = trial({}, {"arrival": 3.0})
    assert made.run(never) == COMPLETE
    first, second = made.results()
    assert (first["name"], first["joined"], second["joined"]) == ("p1", 0.0, 3.0)
    assert 5 < first["completed"] < 15 < 3 + 15
    assert second["completed"] > 3.0
    assert first["received"] >= 500 * KIB
    assert (first["share"], first["left"]) == (1.0, None)
    assert made.swarm.info.length == 500 * KIB


def test_trial_ends_when_nobody_is_left_who_could_complete() -> None:
    made = trial({}, {"parameters": {"departure": "after 1 s"}})
    assert made.run(never) == ALL_ENDED
    _, second = made.results()
    assert (second["completed"], second["left"]) == (None, "after 1 s")
    assert 0 < second["share"] < 1


def test_peer_that_is_away_is_waited_for() -> None:
    made = trial({"parameters": {"departure": "at 50 % for 20 s"}, "moves": True})
    assert made.run(never) == COMPLETE
    assert made.results()[0]["completed"] > 20
    assert made.results()[0]["received"] >= 500 * KIB


def test_time_limit_ends_a_trial() -> None:
    made = trial({}, time_limit=2.0)
    assert made.run(never) == TIME_LIMIT
    assert made.swarm.now == 2.0
    assert 0 < made.shares()[0] < 1


@pytest.mark.parametrize("held", [0.0, 0.5, 1.0])
def test_held_share_need_not_be_received(held: float) -> None:
    made = trial({"held": held, "arrival": 1.0})
    assert made.run(never) == COMPLETE
    assert made.results()[0]["completed"] >= 1.0
    assert made.results()[0]["received"] == pytest.approx((1 - held) * 500 * KIB, abs=32 * KIB)


def test_same_description_gives_the_same_results() -> None:
    def results() -> list[dict[str, Any]]:
        made = trial({}, {}, {"delay": 0.05})
        made.run(never)
        return made.results()

    assert results() == results()


def test_watch_is_called_after_every_event_and_may_raise() -> None:
    class StopError(Exception):
        pass

    calls: list[float] = []

    def watch() -> bool:
        calls.append(made.swarm.now)
        if len(calls) == 20:
            raise StopError
        return False

    made = trial({})
    with pytest.raises(StopError):
        made.run(watch)
    assert len(calls) == 20


def test_owner_is_the_peer_that_was_deciding() -> None:
    owners = []

    def look(_: object, now: float) -> None:
        frames = []
        frame = sys._getframe()
        while frame is not None:
            frames.append(frame)
            frame = frame.f_back
        owners.append(owner_of(frames, made.swarm.peers.values()))

    made = trial({}, {})
    made.swarm.peers["p2"].record = look  # type: ignore[method-assign]
    made.swarm.peers["p2"].session._outbox._record = look  # type: ignore[misc]
    made.run(never)
    assert set(owners) == {"p2"}


def test_strategy_that_cannot_be_made_is_refused() -> None:
    with pytest.raises(StrategyError, match="slots: expected a whole number"):
        trial({"parameters": {"slots": "many"}})
