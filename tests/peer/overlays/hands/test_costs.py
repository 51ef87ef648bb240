"""What a node sent and received is told once, by the search that caused it; floods become few lines."""

from hypothesis import given
from hypothesis import strategies as st

from contract.events import TraceEvent
from contract.overlay_events import UPKEEP, NodeErred, Spent
from peer.net.address import Address
from peer.overlays.hands.costs import MOST_SEARCHES, MOST_TROUBLES, Costs, Troubles

SOMEBODY = Address("198.18.0.2", 6346)


def test_costs_are_told_by_search_and_only_once() -> None:
    told: list[TraceEvent] = []
    costs = Costs(told.append)
    costs.tell()
    costs.count_sent("one", 10)
    costs.count_sent(UPKEEP, 1)
    costs.count_sent("one", 20)
    costs.count_received(2, 300)
    costs.charge("one", 40)
    costs.charge(UPKEEP, 50)
    costs.tell()
    costs.tell()
    assert told == [Spent((("one", 2, 30), (UPKEEP, 1, 1)), 2, 300, (("one", 1, 40),))]


@given(st.lists(st.tuples(st.integers(0, 3 * MOST_SEARCHES).map(str), st.integers(0, 99)), max_size=50))
def test_nothing_is_lost_or_counted_twice(sent: list[tuple[str, int]]) -> None:
    told: list[Spent] = []
    costs = Costs(told.append)  # type: ignore[arg-type]
    for search, size in sent:
        costs.count_sent(search, size)
    costs.tell()
    rows = [row for line in told for row in line.sent]
    assert sum(messages for _, messages, _ in rows) == len(sent)
    assert sum(total for _, _, total in rows) == sum(size for _, size in sent)


def test_invented_names_of_searches_do_not_make_lines_endless() -> None:
    told: list[Spent] = []
    costs = Costs(told.append)  # type: ignore[arg-type]
    for number in range(3 * MOST_SEARCHES):
        costs.count_sent(str(number), 1)
    costs.tell()
    assert [len(line.sent) for line in told] == [MOST_SEARCHES] * 3


def test_the_same_trouble_is_one_line() -> None:
    told: list[TraceEvent] = []
    troubles = Troubles(told.append)
    for _ in range(1_000):
        troubles.note("no room", SOMEBODY)
    troubles.note("no sense", SOMEBODY)
    troubles.tell()
    troubles.tell()
    assert told == [NodeErred("no room (1000 times)", str(SOMEBODY)), NodeErred("no sense", str(SOMEBODY))]


def test_a_flood_of_troubles_is_a_few_lines() -> None:
    told: list[NodeErred] = []
    troubles = Troubles(told.append)  # type: ignore[arg-type]
    for number in range(1_000):
        troubles.note(str(number), SOMEBODY)
    troubles.tell()
    assert len(told) == MOST_TROUBLES + 1
    assert told[-1].what == f"{1_000 - MOST_TROUBLES} more errors, of other kinds"
