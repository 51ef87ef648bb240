"""Attackers in virtual time: what each hides or adds, and whether ids that follow from addresses (BEP 42) help."""

from collections.abc import Iterator
from random import Random

import pytest

from contract.overlay_events import AnswerCame
from peer.net.address import Address
from peer.overlays.content import key_of
from peer.overlays.kademlia.attacks.places import places_of
from peer.overlays.kademlia.ids import closest_secure_id, is_secure, secure_id, shared_bits
from peer.overlays.kademlia.parameters import Parameters
from peer.overlays.overlay import Attack
from tests.peer.overlays.kademlia.worlds import Spot, World, address, events

HONEST = 60
TARGET, OTHERS = "target", [f"item {number}" for number in range(12)]
KEY = int.from_bytes(key_of(TARGET), "big")
HOLDERS = (3, 21, 40)
SHORT = {"announce_period": 20.0, "peer_lifetime": 30.0, "timeout": 3.0}
"""So that what was announced before the attack is soon forgotten."""


def attacked(role: str, count: int, *, is_bound: bool, seed: int = 1, **parameters: bool) -> World:
    """Return a world in which three nodes have each item, and attackers came a minute ago."""
    world = World(Parameters(has_secure_ids=is_bound, **SHORT), seed).grow(HONEST)
    for number, name in enumerate((TARGET, *OTHERS)):
        for holder in HOLDERS:
            world.share(world.spots[(holder + number) % HONEST], name)
    world.attack(role, [TARGET], count, **parameters)
    world.run(60)
    return world


def named(world: World, name: str, askers: range = range(5, HONEST, 11)) -> Iterator[set[str]]:
    """Search from some honest nodes, and yield the hosts that each is told of."""
    for number in askers:
        end = world.search(world.spots[number], name, seconds=10)
        came = [event for event in events(world.spots[number], AnswerCame) if event.search == end.search]
        yield {event.holder.partition(":")[0] for event in came}


def hosts_of(spots: list[Spot]) -> set[str]:
    return {spot.address.host for spot in spots}


HAVE_TARGET = {address(number).host for number in HOLDERS}


def test_eight_sybils_next_to_a_key_hide_it_and_nothing_else() -> None:
    world = attacked("sybil", 8, is_bound=False)
    assert list(named(world, TARGET)) == [set()] * 5
    found = [each for name in OTHERS for each in named(world, name)]
    assert sum(len(each) == len(HOLDERS) for each in found) > 0.9 * len(found)


def test_with_ids_bound_to_addresses_eight_sybils_hide_nothing() -> None:
    world = attacked("sybil", 8, is_bound=True)
    assert list(named(world, TARGET)) == [HAVE_TARGET] * 5


def test_sybils_that_claim_ids_they_may_not_have_are_passed_by() -> None:
    world = World(Parameters(has_secure_ids=True, **SHORT)).grow(HONEST)
    sybils = world.attack("sybil", [TARGET], 8, has_secure_ids=False)
    for holder in HOLDERS:
        world.share(world.spots[holder], TARGET)
    assert list(named(world, TARGET)) == [HAVE_TARGET] * 5
    strangers = {spot.address for spot in sybils}
    assert not any(strangers & set(spot.node.neighbours) for spot in world.spots[:HONEST])


def test_sybils_that_lie_are_named_instead() -> None:
    world = attacked("sybil", 8, is_bound=False, lies=True)
    assert list(named(world, TARGET)) == [hosts_of(world.spots[HONEST:])] * 5


@pytest.mark.parametrize("is_bound", [False, True])
def test_poisoners_add_false_peers_and_hide_nothing_wherever_ids_come_from(is_bound: bool) -> None:
    world = attacked("poisoner", 20, is_bound=is_bound)
    found = list(named(world, OTHERS[0]))
    holders = {address(holder + 1).host for holder in HOLDERS}
    assert all(holders <= each for each in found)
    assert any(each - holders == hosts_of(world.spots[HONEST:]) for each in found)


@pytest.mark.parametrize("is_bound", [False, True])
def test_pretenders_add_themselves_as_no_token_tells_who_has_something(is_bound: bool) -> None:
    world = attacked("pretender", 4, is_bound=is_bound)
    assert list(named(world, TARGET)) == [HAVE_TARGET | hosts_of(world.spots[HONEST:])] * 5
    assert not any(hosts_of(world.spots[HONEST:]) & each for each in named(world, OTHERS[0]))


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
