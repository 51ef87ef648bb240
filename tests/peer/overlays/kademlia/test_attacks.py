"""Attackers in virtual time: what each hides or adds, and whether ids that follow from addresses (BEP 42) help."""

from random import Random

import pytest

from benchmarks.overlays.kademlia_attacks import anywhere, chance, drawn, needed, neighbours
from contract.overlay_events import AnswerCame
from peer.net.address import Address
from peer.overlays.content import key_of
from peer.overlays.kademlia.attacks.places import places_of
from peer.overlays.kademlia.ids import closest_secure_id, is_secure, secure_id, shared_bits
from peer.overlays.kademlia.parameters import Parameters
from peer.overlays.overlay import Attack
from tests.peer.overlays.kademlia.worlds import Spot, World, address, events

HONEST = 40
TARGET, OTHERS = "target", [f"item {number}" for number in range(4)]
KEY = int.from_bytes(key_of(TARGET), "big")
HOLDERS = (3, 21, 32)
ASKERS = (5, 16, 27)
SHORT = {"announce_period": 20.0, "peer_lifetime": 30.0, "timeout": 3.0, "refreshes_at_start": True}
"""So that what was announced before the attack is soon forgotten, and tables are full before it."""


def attacked(role: str, count: int, *, is_bound: bool, **parameters: bool) -> World:
    """Return a world in which three nodes have each item, and attackers came some time ago."""
    world = World(Parameters(has_secure_ids=is_bound, **SHORT)).grow(HONEST)  # type: ignore[arg-type]
    for number, name in enumerate((TARGET, *OTHERS)):
        for holder in holders_of(number):
            world.share(world.spots[holder], name)
    world.attack(role, [TARGET], count, **parameters)
    world.run(SHORT["peer_lifetime"])
    return world


def holders_of(number: int) -> tuple[int, ...]:
    return tuple(holder + number for holder in HOLDERS)


def told(world: World, name: str) -> list[set[str]]:
    """Search from some honest nodes, and return the hosts that each is told of."""
    return [_told(world, world.spots[number], name) for number in ASKERS]


def _told(world: World, asker: Spot, name: str) -> set[str]:
    end = world.search(asker, name, seconds=5)
    came = [event for event in events(asker, AnswerCame) if event.search == end.search]
    return {event.holder.partition(":")[0] for event in came}


def attackers_of(world: World) -> set[str]:
    return {spot.address.host for spot in world.spots[HONEST:]}


HAVE = [{address(holder).host for holder in holders_of(number)} for number in range(1 + len(OTHERS))]
"""The hosts that have the target, and those that have each other item."""


def test_eight_sybils_next_to_a_key_hide_it_and_nothing_else() -> None:
    world = attacked("sybil", 8, is_bound=False)
    assert told(world, TARGET) == [set()] * len(ASKERS)
    for have, name in zip(HAVE[1:], OTHERS, strict=True):
        assert told(world, name) == [have] * len(ASKERS)


def test_with_ids_bound_to_addresses_eight_sybils_hide_nothing() -> None:
    world = attacked("sybil", 8, is_bound=True)
    assert told(world, TARGET) == [HAVE[0]] * len(ASKERS)


def test_sybils_that_claim_ids_they_may_not_have_are_passed_by() -> None:
    world = attacked("sybil", 8, is_bound=True, has_secure_ids=False)
    assert told(world, TARGET) == [HAVE[0]] * len(ASKERS)
    known = {each.host for spot in world.spots[:HONEST] for each in spot.node.neighbours}
    assert not known & attackers_of(world)


def test_sybils_that_lie_are_named_instead() -> None:
    world = attacked("sybil", 8, is_bound=False, lies=True)
    assert told(world, TARGET) == [attackers_of(world)] * len(ASKERS)


def test_poisoners_add_false_peers_and_hide_nothing_whatever_their_ids_follow_from() -> None:
    world = attacked("poisoner", 20, is_bound=True)
    found = [(have, each) for have, name in zip(HAVE, (TARGET, *OTHERS), strict=True) for each in told(world, name)]
    assert all(have <= each for have, each in found)
    poisoned = [each for have, each in found if each == have | attackers_of(world)]
    assert len(poisoned) > len(found) / 2


def test_pretenders_add_themselves_as_no_token_tells_who_has_something() -> None:
    world = attacked("pretender", 4, is_bound=True)
    assert told(world, TARGET) == [HAVE[0] | attackers_of(world)] * len(ASKERS)
    assert told(world, OTHERS[0]) == [HAVE[1]] * len(ASKERS)


# Where attackers stand


def test_sybils_share_out_the_targets_and_know_each_others_ids() -> None:
    attack = Attack((TARGET, "another"), tuple(address(number) for number in range(6)))
    places = places_of(attack, address(2), are_secure=False)
    assert places == places_of(attack, address(5), are_secure=False)
    assert len({each.id for each in places}) == 6
    assert sum(shared_bits(each.id, KEY) >= 128 for each in places) == 3


def test_an_attacker_that_is_not_named_is_one_all_the_same() -> None:
    (own,) = places_of(Attack((TARGET,)), address(9), are_secure=False)
    assert own.address == address(9)


def test_under_bep_42_a_sybil_takes_the_closest_of_eight_prefixes() -> None:
    host = "198.18.3.7"
    closest = closest_secure_id(KEY, host)
    assert is_secure(closest, host)
    rng = Random(1)
    assert all(closest ^ KEY <= secure_id(host, rng) ^ KEY for _ in range(1000))
    assert places_of(Attack((TARGET,)), Address(host, 1), are_secure=True)[0].id == closest


def test_local_hosts_may_stand_anywhere_under_bep_42_too() -> None:
    (own,) = places_of(Attack((TARGET,)), Address("127.0.0.1", 1), are_secure=True)
    assert shared_bits(own.id, KEY) >= 128


def test_the_chance_that_all_closest_are_attackers_is_that_of_the_law() -> None:
    rng = Random(3)
    law = chance(20, 20, 4)
    assert drawn(20, lambda: anywhere(20, rng), 4, 400, rng) == pytest.approx(law, abs=0.08)
    assert drawn(20, lambda: neighbours(20, rng), 4, 400, rng) == pytest.approx(law, abs=0.08)
    assert chance(60, 8, 8) < 0.002
    assert chance(10_000, 10_000, 8) == pytest.approx((8 / 9) ** 8, abs=0.01)
    assert chance(100, needed(100, 4, 0.5), 4) >= 0.5 > chance(100, needed(100, 4, 0.5) - 1, 4)
    assert chance(100, 7, 8) == 0
