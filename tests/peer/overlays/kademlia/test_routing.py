"""Buckets split around our own id only; good nodes keep their places, bad ones lose them."""

from collections import Counter
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from peer.net.address import Address
from peer.overlays.kademlia.ids import BITS, secure_id, shared_bits, sharing
from peer.overlays.kademlia.parameters import DEFAULT, Parameters
from peer.overlays.kademlia.routing.table import Table
from peer.overlays.kademlia.wire.messages import NodeInfo

OWN = NodeInfo(0, Address("198.18.0.1", 1))
FAR = 1 << 159
"""Ids from here on have no bit in common with ours, and are in the bucket that is never split."""
K = DEFAULT.k


def node(node_id: int, host: int = 0) -> NodeInfo:
    return NodeInfo(node_id, Address(f"198.18.{host % 200}.{node_id % 251 + 2}", 7))


def filled(parameters: Parameters = DEFAULT) -> Table:
    """Fill the farthest bucket with nodes that answered at the times 0, 1, ..."""
    table = Table(OWN, parameters)
    for number in range(parameters.k):
        table.answered(node(FAR + number), float(number))
    table.answered(node(1), 0.0)  # divides the only bucket
    return table


def far_ones(table: Table) -> set[int]:
    return {each.info.id - FAR for each in table.buckets[0].contacts}


@settings(max_examples=40)
@given(st.integers(0, 2**BITS - 1), st.integers(0, 300), st.integers())
def test_buckets_divide_the_space_and_only_ours_is_split(own: int, count: int, seed: int) -> None:
    rng = Random(seed)
    table = Table(NodeInfo(own, OWN.address), DEFAULT)
    for _ in range(count):
        table.answered(node(rng.getrandbits(BITS)), 0.0)
    last = len(table.buckets) - 1
    for number, bucket in enumerate(table.buckets):
        assert len(bucket.contacts) <= K
        assert all(min(shared_bits(own, each.info.id), last) == number for each in bucket.contacts)
    assert not last or sum(len(bucket.contacts) for bucket in table.buckets[-2:]) > K


@settings(max_examples=40)
@given(st.integers(0, 200), st.integers(0, 2**BITS - 1), st.integers(1, 20), st.integers())
def test_closest_are_the_closest_of_the_table(count: int, target: int, wanted: int, seed: int) -> None:
    rng = Random(seed)
    table = Table(OWN, DEFAULT)
    for _ in range(count):
        table.answered(node(sharing(0, rng.randrange(20), rng)), 0.0)
    every = sorted((each.info for each in table), key=lambda info: info.id ^ target)
    assert table.closest(target, wanted, 1.0) == every[:wanted]


def test_a_full_bucket_of_good_nodes_takes_no_more() -> None:
    table = filled()
    table.answered(node(FAR + 100), 10.0)
    assert far_ones(table) == set(range(K))


def test_the_bucket_around_our_own_id_is_split_until_there_is_room() -> None:
    table = Table(OWN, DEFAULT)
    for number in range(1, 3 * K):
        table.answered(node(number), 0.0)
    assert len(table) > 2 * K
    assert len(table.buckets) > BITS - 8


def test_a_bad_node_gives_its_place_to_the_newest_that_waits() -> None:
    table = filled()
    for number in (100, 101):
        table.answered(node(FAR + number), 10.0)
    table.failed(node(FAR + 3), 11.0)
    assert far_ones(table) == set(range(K))
    table.failed(node(FAR + 3), 12.0)
    assert far_ones(table) == set(range(K)) - {3} | {101}


def test_a_node_that_answers_again_is_not_bad() -> None:
    table = filled()
    table.answered(node(FAR + 100), 10.0)
    table.failed(node(FAR + 3), 11.0)
    table.answered(node(FAR + 3), 11.5)
    table.failed(node(FAR + 3), 12.0)
    assert 3 in far_ones(table)


def test_the_questionable_node_seen_longest_ago_is_pinged_for_one_that_waits() -> None:
    table = filled()
    bucket = table.buckets[0]
    assert table.to_check(bucket, 5000.0) is None
    table.answered(node(FAR + 100), 900.5)
    found = table.to_check(bucket, 901.5)
    assert found is not None
    assert found.info.id - FAR == 0
    table.answered(node(FAR), 902.0)
    found = table.to_check(bucket, 902.0)
    assert found is not None
    assert found.info.id - FAR == 1


def test_good_nodes_are_not_pinged_for_others() -> None:
    table = filled()
    table.asked(node(FAR + 100), 10.0)
    assert table.to_check(table.buckets[0], 10.0) is None


def test_a_node_is_good_for_15_minutes_after_it_answered_or_if_it_answered_once_after_it_asked() -> None:
    table = filled()
    assert len(table.closest(FAR, K, 899.0)) == K
    table.asked(node(FAR + 2), 899.0)
    assert [info.id - FAR for info in table.closest(FAR, K, 1700.0)] == [2]
    assert not table.closest(FAR, K, 1800.0)
    assert len(table.closest(FAR, K, 1800.0, only_good=False)) == K


def test_a_node_that_only_asked_has_no_place_before_it_answers() -> None:
    table = Table(OWN, DEFAULT)
    table.asked(node(5), 0.0)
    assert not len(table)
    found = table.to_check(table.buckets[0], 0.0)
    assert found is not None
    assert found.info == node(5)
    table.answered(node(5), 1.0)
    assert [each.info for each in table] == [node(5)]
    assert not table.waiting_count


def test_nobody_takes_the_place_of_a_good_node_by_its_id() -> None:
    table = filled()
    table.answered(node(FAR + 1, host=9), 5.0)
    assert node(FAR + 1) in table.closest(FAR, K, 5.0)
    table.answered(node(FAR + 1, host=9), 5000.0)
    assert table.closest(FAR, K, 5000.0) == [node(FAR + 1, host=9)]


def test_the_places_for_those_who_wait_are_limited() -> None:
    table = filled()
    for number in range(100, 200):
        table.asked(node(FAR + number), 10.0)
    assert table.waiting_count == K
    for number in range(1, 500):
        table.asked(node(number, host=3), 10.0)
    assert table.waiting_count <= K * len(table.buckets)


def test_buckets_that_did_not_change_for_15_minutes_are_refreshed_once() -> None:
    table = filled()
    assert table.next_refresh <= 907.0
    (target,) = [each for each in table.to_refresh(908.0, Random(1)) if each >= FAR]
    assert shared_bits(0, target) == 0
    assert not table.to_refresh(909.0, Random(1))
    assert table.next_refresh == 1808.0


def test_one_node_a_host_if_so_chosen() -> None:
    table = Table(OWN, replace(DEFAULT, one_per_host=True))
    table.answered(NodeInfo(5, Address("198.18.3.3", 1)), 0.0)
    table.answered(NodeInfo(6, Address("198.18.3.3", 2)), 0.0)
    assert [each.info.id for each in table] == [5]
    for _ in range(DEFAULT.bad_after):
        table.failed(NodeInfo(5, Address("198.18.3.3", 1)), 1.0)
    table.answered(NodeInfo(6, Address("198.18.3.3", 2)), 1.0)
    assert 6 in {each.info.id for each in table}


def test_ids_that_do_not_follow_from_addresses_are_refused_if_so_chosen() -> None:
    table = Table(OWN, replace(DEFAULT, has_secure_ids=True))
    address = Address("198.18.3.3", 1)
    table.answered(NodeInfo(secure_id(address.host, Random(1)), address), 0.0)
    table.answered(NodeInfo(12345, Address("198.18.3.4", 1)), 0.0)
    assert [each.info.address for each in table] == [address]


def test_we_are_not_in_our_own_table() -> None:
    table = Table(OWN, DEFAULT)
    table.answered(OWN, 0.0)
    table.answered(NodeInfo(77, OWN.address), 0.0)
    table.answered(NodeInfo(OWN.id, Address("198.18.9.9", 9)), 0.0)
    assert not len(table)


def test_where_few_nodes_are_known_the_far_buckets_are_few() -> None:
    assert Counter(shared_bits(0, each) for each in filled().far_ids(Random(1))) == {0: 1}


def test_a_node_that_moved_keeps_its_place_only_with_an_id_that_it_may_have_there() -> None:
    table = Table(OWN, Parameters(has_secure_ids=True))
    old, new = Address("198.18.4.4", 7), Address("198.18.5.5", 7)
    info = NodeInfo(secure_id(old.host, Random(1)), old)
    table.answered(info, 0.0)
    table.answered(NodeInfo(info.id, new), DEFAULT.good_for)
    assert [contact.info for contact in table] == [info]
