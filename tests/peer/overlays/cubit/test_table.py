"""The neighbours of a node: diverse rings, and the nearest."""

from hypothesis import given
from hypothesis import strategies as st

from peer.net.address import Address
from peer.overlays.cubit.distance import edit_distance
from peer.overlays.cubit.messages import Contact
from peer.overlays.cubit.table import Table, nearest


def contact(word: str, number: int = 1) -> Contact:
    return Contact(word, Address("198.18.0.1", number))


OWN = contact("moon", 60_000)


def table_of(*words: str, a_ring: int = 2, rings: int = 5, leaves: int = 0) -> Table:
    table = Table(OWN, a_ring, rings, leaves)
    for number, word in enumerate(words, 1):
        table.add(contact(word, number))
    return table


def words_of_table(table: Table) -> set[str]:
    return {node.word for node in table.all()}


def test_a_ring_prefers_nodes_that_differ() -> None:
    table = table_of("noon", "soon", "mood")  # All at distance 1; noon and soon are alike.
    assert words_of_table(table) == {"noon", "mood"}


def test_a_node_that_adds_nothing_has_no_place() -> None:
    assert words_of_table(table_of("noon", "mood", "soon")) == {"noon", "mood"}


def test_the_nearest_are_kept_whatever_their_ring_says() -> None:
    table = table_of("noon", "mood", "soon", leaves=3)
    assert words_of_table(table) == {"noon", "mood", "soon"}
    assert table.add(contact("moon", 9))  # Nearer, so it is one of the nearest, and another is not.
    assert len(table.leaves) == 3
    assert "moon" in words_of_table(table)


def test_a_node_that_leaves_makes_room_for_the_next_nearest() -> None:
    table = table_of("moons", "mooring", "daylight", leaves=2)
    assert [node.word for node in table.leaves] == ["moons", "mooring"]
    table.drop(table.leaves[0].address)
    assert [node.word for node in table.leaves] == ["mooring", "daylight"]


def test_a_node_with_another_word_is_the_same_node() -> None:
    table = table_of("noon")
    table.add(contact("train", 1))
    assert words_of_table(table) == {"train"}
    assert not table.add(OWN)


@given(st.lists(st.text(alphabet="mon", min_size=1, max_size=8), max_size=60), st.integers(0, 40))
def test_a_table_has_limits_and_forgets_whom_it_drops(words: list[str], dropped: int) -> None:
    table = table_of(*words, leaves=4)
    assert len(table) <= 2 * 5 + 4
    assert set(table.leaves) <= set(table.all())
    assert table.leaves == nearest(table.leaves, "moon", 4)
    table.drop(Address("198.18.0.1", dropped))
    assert all(node.address.port != dropped for node in [*table.all(), *table.leaves])


def test_the_nearest_come_first() -> None:
    table = table_of("noon", "train", "mood", "moan", a_ring=9)
    found = table.nearest("moan", 3)
    assert [edit_distance("moan", node.word) for node in found] == [0, 2, 2]
