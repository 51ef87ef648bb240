"""The address book: which address is dialled next, which never is, and how many strangers can add."""

from math import inf
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.engine.discovery.address_book import (
    FIRST_RETRY,
    FIRST_RETRY_OF_FULL,
    LONGEST_RETRY,
    LONGEST_RETRY_OF_FULL,
    LONGEST_RETRY_OF_GIVEN,
    MOST_ADDRESSES,
    MOST_FAILURES,
    MOST_FAULTS,
    MOST_HEARSAY,
    REUNION,
    AddressBook,
    Ending,
    Source,
)
from peer.bittorrent.engine.profile import PROFILES
from peer.net.address import Address

COURSE = PROFILES["course"]
PLENTY = 1_000
ONE = Address("198.18.0.1", 6881)


def book(seed: int = 1) -> AddressBook:
    return AddressBook(Random(seed), COURSE)


def peers(count: int, first: int = 0) -> list[Address]:
    return [Address(f"198.18.{number // 250}.{number % 250 + 1}", 6881) for number in range(first, first + count)]


def knowing(*addresses: Address, source: Source = "tracker") -> AddressBook:
    made = book()
    made.learn(addresses, source)
    return made


def test_untried_addresses_are_dialled_once_in_random_order() -> None:
    known = peers(15)
    one, same, other = (book(seed) for seed in (1, 1, 2))
    for each in (one, same, other):
        each.learn(known, "tracker")
    order = one.to_dial(0, 10) + one.to_dial(0, 10)
    assert sorted(order) == sorted(known)
    assert order == same.to_dial(0, 10) + same.to_dial(0, 10)
    assert order != other.to_dial(0, 10) + other.to_dial(0, 10)


def test_half_open_dials_are_limited_by_the_profile() -> None:
    addresses = knowing(*peers(50))
    dialled = addresses.to_dial(0, PLENTY)
    assert len(dialled) == COURSE.most_half_open
    addresses.connected(dialled[0])
    addresses.dial_failed(dialled[1], 0)
    addresses.ban(dialled[2].host)
    assert len(addresses.to_dial(0, PLENTY)) == 3


def test_failed_address_is_retried_later_then_given_up() -> None:
    addresses, now, waits = knowing(ONE), 0.0, []
    for _ in range(MOST_FAILURES - 1):
        assert addresses.to_dial(now, 1) == [ONE]
        wait = addresses.dial_failed(ONE, now)
        assert wait is not None
        assert addresses.next_retry_at() == now + wait
        assert addresses.to_dial(now + wait * 0.99, 1) == []
        now += wait
        waits.append(wait)
    for number, wait in enumerate(waits):
        assert FIRST_RETRY * 2**number / 2 <= wait <= FIRST_RETRY * 2**number
    assert addresses.to_dial(now, 1) == [ONE]
    assert addresses.dial_failed(ONE, now) is None
    assert addresses.next_retry_at() == inf
    assert addresses.to_dial(now + 10 * LONGEST_RETRY, 1) == []


def test_tracker_revives_an_abandoned_address() -> None:
    addresses, now = knowing(ONE), 0.0
    for _ in range(MOST_FAILURES):
        addresses.to_dial(now, 1)
        addresses.dial_failed(ONE, now)
        now += LONGEST_RETRY
    addresses.learn([ONE], "pex")
    assert addresses.to_dial(now, 1) == []
    addresses.learn([ONE], "tracker")
    assert addresses.to_dial(now, 1) == [ONE]
    assert addresses.dial_failed(ONE, now) is None


def test_address_from_the_user_is_asked_every_minute() -> None:
    addresses, now = knowing(ONE, source="given"), 0.0
    for _ in range(5 * MOST_FAILURES):
        assert addresses.to_dial(now, 1) == [ONE]
        wait = addresses.dial_failed(ONE, now)
        assert wait is not None
        assert wait <= LONGEST_RETRY_OF_GIVEN
        now += wait


@pytest.mark.parametrize("ending", [Ending.REFUSED, Ending.FAULT, Ending.LEFT])
def test_address_from_the_user_is_never_given_up(ending: Ending) -> None:
    addresses, now = knowing(ONE, source="given"), 0.0
    for _ in range(5 * MOST_FAILURES):
        assert addresses.to_dial(now, 1) == [ONE]
        addresses.connected(ONE)
        addresses.disconnected(ONE, now, ending)
        now = addresses.next_retry_at()


def test_address_from_the_user_makes_no_room_for_others() -> None:
    addresses = knowing(ONE, source="given")
    addresses.learn(peers(MOST_ADDRESSES - 1, first=1), "tracker")
    dialled = list[Address]()
    while ONE not in dialled:
        dialled = addresses.to_dial(0, 1)
        addresses.dial_failed(dialled[0], 0)
    addresses.learn(peers(2 * MOST_ADDRESSES, first=MOST_ADDRESSES), "tracker")
    while batch := addresses.to_dial(LONGEST_RETRY, 1):
        addresses.connected(batch[0])
        dialled += batch
    assert dialled.count(ONE) == 2


def refused(addresses: AddressBook, now: float) -> float:
    """Let ONE accept a connection and close it; returns when it may be dialled again."""
    assert addresses.to_dial(now, 1) == [ONE]
    addresses.connected(ONE)
    addresses.disconnected(ONE, now, Ending.REFUSED)
    return addresses.next_retry_at()


def test_peer_that_is_full_is_asked_again_soon() -> None:
    addresses, now = knowing(ONE), 0.0
    for number in range(MOST_FAILURES - 1):
        longest = min(FIRST_RETRY_OF_FULL * 2**number, LONGEST_RETRY_OF_FULL)
        before, now = now, refused(addresses, now)
        assert longest / 2 <= now - before <= longest
    assert refused(addresses, now) == inf


def test_a_handshake_makes_up_for_refusals_before_it() -> None:
    addresses, now = knowing(ONE), 0.0
    for _ in range(4):
        now = refused(addresses, now)
    assert addresses.to_dial(now, 1) == [ONE]
    addresses.connected(ONE)
    addresses.disconnected(ONE, now, Ending.LEFT)
    now = addresses.next_retry_at()
    assert refused(addresses, now) - now <= FIRST_RETRY_OF_FULL


def test_dial_that_came_too_late_is_repeated() -> None:
    addresses = knowing(ONE)
    addresses.to_dial(0, 1)
    addresses.unwanted(ONE, 0)
    assert addresses.to_dial(REUNION, 1) == [ONE]


def test_untried_addresses_come_before_those_that_failed() -> None:
    addresses = knowing(ONE)
    addresses.to_dial(0, 1)
    wait = addresses.dial_failed(ONE, 0)
    assert wait is not None
    new = peers(3, first=1)
    addresses.learn(new, "tracker")
    dialled = addresses.to_dial(wait, 4)
    assert sorted(dialled[:3]) == new
    assert dialled[3] == ONE


def test_connected_address_is_never_dialled() -> None:
    addresses = book()
    addresses.connected(ONE)
    addresses.learn([ONE], "tracker")
    assert addresses.to_dial(0, 1) == []
    addresses.disconnected(ONE, 0, Ending.LEFT)
    assert REUNION / 2 <= addresses.next_retry_at() <= REUNION
    assert addresses.to_dial(REUNION, 1) == [ONE]


def test_incoming_connection_postpones_an_earlier_retry() -> None:
    addresses = knowing(ONE)
    addresses.to_dial(0, 1)
    addresses.dial_failed(ONE, 0)
    addresses.connected(ONE)
    addresses.disconnected(ONE, 1, Ending.LEFT)
    assert addresses.next_retry_at() >= 1 + REUNION / 2
    assert addresses.to_dial(1 + FIRST_RETRY, 1) == []


def test_a_connection_makes_up_for_failures_before_it() -> None:
    addresses, now = knowing(ONE), 0.0
    for _ in range(4):
        addresses.to_dial(now, 1)
        addresses.dial_failed(ONE, now)
        now += LONGEST_RETRY
    addresses.to_dial(now, 1)
    addresses.connected(ONE)
    addresses.disconnected(ONE, now, Ending.LEFT)
    now += REUNION
    addresses.to_dial(now, 1)
    wait = addresses.dial_failed(ONE, now)
    assert wait is not None
    assert wait <= FIRST_RETRY


def test_faulty_neighbour_waits_long_and_is_given_up() -> None:
    addresses, now = knowing(ONE), 0.0
    for _ in range(MOST_FAULTS):
        assert addresses.to_dial(now, 1) == [ONE]
        addresses.connected(ONE)
        addresses.disconnected(ONE, now, Ending.FAULT)
        assert addresses.to_dial(now + LONGEST_RETRY * 0.49, 1) == []
        now += LONGEST_RETRY
    assert addresses.to_dial(now, 1) == []


def test_failure_of_a_connected_address_changes_nothing() -> None:
    addresses = knowing(ONE)
    addresses.to_dial(0, 1)
    addresses.connected(ONE)
    assert addresses.dial_failed(ONE, 0) is None
    assert addresses.to_dial(PLENTY, 1) == []


@pytest.mark.parametrize("source", ["tracker", "pex", "incoming", "given"])
@pytest.mark.parametrize(
    "useless",
    [
        Address("198.18.0.1", 0),
        Address("0.0.0.0", 6881),  # noqa: S104
        Address("224.0.0.1", 6881),
        Address("255.255.255.255", 6881),
        Address("ff02::1", 6881),
    ],
)
def test_unusable_addresses_are_not_kept(useless: Address, source: Source) -> None:
    assert len(knowing(useless, source=source)) == 0


def test_host_names_are_taken_from_the_user_only() -> None:
    named = Address("peer.example", 6881)
    assert len(knowing(named, source="tracker")) == 0
    assert knowing(named, source="given").to_dial(0, 1) == [named]


def test_ourselves_and_banned_hosts_are_never_dialled() -> None:
    ours, bad, same_host, good = ONE, *(Address("198.18.0.9", port) for port in (1, 2)), Address("198.18.0.8", 1)
    addresses = knowing(ours, bad, good)
    addresses.ourselves(ours)
    addresses.ban(bad.host)
    addresses.learn([ours, bad, same_host], "tracker")
    addresses.connected(same_host)
    addresses.disconnected(same_host, 0, Ending.LEFT)
    assert addresses.to_dial(PLENTY, PLENTY) == [good]
    assert addresses.is_banned(bad.host)
    assert not addresses.is_banned(good.host)


def test_hearsay_fills_half_of_the_book_at_most() -> None:
    addresses = knowing(*peers(2 * MOST_ADDRESSES), source="pex")
    assert len(addresses) == MOST_HEARSAY
    addresses.learn(peers(10, first=2 * MOST_ADDRESSES), "tracker")
    assert len(addresses) == MOST_HEARSAY + 10
    addresses.ban(peers(1)[0].host)
    addresses.learn(peers(10, first=3 * MOST_ADDRESSES), "pex")
    assert len(addresses) == MOST_HEARSAY + 10


def test_full_book_drops_the_oldest_failure() -> None:
    addresses = knowing(*peers(MOST_ADDRESSES))
    newcomers = peers(3, first=MOST_ADDRESSES)
    addresses.learn(newcomers, "tracker")
    assert len(addresses) == MOST_ADDRESSES
    first, second = addresses.to_dial(0, 2)
    addresses.dial_failed(first, 0)
    addresses.dial_failed(second, 0)
    addresses.learn(newcomers[:1], "tracker")
    assert len(addresses) == MOST_ADDRESSES
    dialled: list[Address] = []
    while batch := addresses.to_dial(LONGEST_RETRY, PLENTY):
        dialled += batch
        for address in batch:
            addresses.connected(address)
    assert first not in dialled
    assert second in dialled
    assert newcomers[0] in dialled


SMALL = st.sampled_from(peers(6))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("learn"), SMALL, st.sampled_from(["tracker", "pex", "given", "incoming"])),
        st.tuples(
            st.sampled_from(["dial", "connected", "failed", "left", "fault", "refused", "unwanted", "ban", "own"]),
            SMALL,
            st.just(""),
        ),
        st.tuples(st.just("wait"), SMALL, st.just("")),
    ),
    max_size=60,
)


def apply(addresses: AddressBook, what: str, address: Address, now: float, source: Source) -> None:
    match what:
        case "learn":
            addresses.learn([address], source)
        case "connected":
            addresses.connected(address)
        case "failed":
            addresses.dial_failed(address, now)
        case "unwanted":
            addresses.unwanted(address, now)
        case "left" | "fault" | "refused":
            addresses.disconnected(address, now, Ending[what.upper()])
        case "ban":
            addresses.ban(address.host)
        case "own":
            addresses.ourselves(address)


@given(STEPS)
def test_forbidden_addresses_are_never_dialled(
    steps: list[tuple[str, Address, Source]],
) -> None:
    addresses, now = book(), 0.0
    excluded: set[Address] = set()
    forever: set[Address] = set()
    for what, address, source in steps:
        now += LONGEST_RETRY if what == "wait" else 1
        if what == "dial":
            dialled = addresses.to_dial(now, 2)
            assert not excluded & set(dialled)
            assert not forever & set(dialled)
            excluded |= set(dialled)
            continue
        apply(addresses, what, address, now, source)
        if what in {"ban", "own"}:
            forever.add(address)
        elif what == "connected":
            excluded.add(address)
        elif what in {"failed", "left", "fault", "refused", "unwanted"}:
            excluded.discard(address)
        assert addresses.next_retry_at() > 0


def test_what_the_dht_says_is_bounded_like_hearsay_and_a_seed_uses_it() -> None:
    addresses = book()
    addresses.learn(peers(MOST_HEARSAY), "pex")
    addresses.learn(peers(10, first=MOST_HEARSAY), "dht")
    assert len(addresses) == MOST_HEARSAY
    addresses.learn(peers(10), "dht")
    addresses.refuse_exchange()
    assert len(addresses) == 10
    addresses.learn(peers(PLENTY, first=10), "dht")
    assert len(addresses) == MOST_HEARSAY


def test_seed_keeps_tracker_addresses_and_forgets_hearsay() -> None:
    heard, named, later = peers(3)
    addresses = knowing(heard, source="pex")
    addresses.learn([named], "tracker")
    addresses.refuse_exchange()
    addresses.learn([heard, later], "pex")
    assert addresses.to_dial(0, PLENTY) == [named]
    addresses.learn([heard], "tracker")
    assert addresses.to_dial(0, PLENTY) == [heard]
