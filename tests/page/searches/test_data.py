"""A replay of searches as the page gets it: short times, numbers for names, and no more than there is room for."""

from dataclasses import replace

from testbed.results.replay.searches import MOST_MESSAGES, SearchReplay, shown
from testbed.tasks.searches import Acquaintance, Found, Member, Passed, Presence, ShownSearch, ShownSearches, Tier

SEARCH = ShownSearch(
    node="n1",
    wanted="a song",
    key=0.25,
    began=10.0,
    ended=10.5,
    outcome="found",
    hops=2,
    timeouts=0,
    holders=("n2",),
    answers=(Found(10.2, "n2", "right"), Found(10.3, "203.0.113.1:1", "wrong")),
    messages=(Passed(10.0, 10.02, "n1", "n2", "Query"), Passed(10.0304, 10.05, "n2", "n1", "Hit")),
)
MEMBERS = tuple(
    Member(name, "homes", "node", Tier.OUTER, (Presence(0.5, 30.0, place),)) for name, place in (("n1", 0.5), ("n2", 0))
)


def replayed(*searches: ShownSearch, known: tuple[Acquaintance, ...] = ()) -> SearchReplay:
    return SearchReplay("x", 30.0, ShownSearches("Chord", MEMBERS, known, frozenset({"Hit"}), searches))


def test_times_of_a_search_count_from_its_beginning() -> None:
    found = replayed(SEARCH).as_json()
    (search,) = found["searches"]
    assert (search["sent"], search["came"], search["took"], search["began"]) == ([0, 304], [200, 500], 5000, 10.0)
    assert (search["from"], search["to"]) == ([0, 1], [1, 0])
    assert [found["kinds"][number] for number in search["what"]] == ["Query", "Hit"]
    assert [found["kinds"][number] for number in found["answering"]] == ["Hit"]
    assert search["answers"] == [[2000, 1, 0], [3000, None, 2]]
    assert (search["holders"], search["unshown"]) == ([1], 0)


def test_links_are_those_that_were_there_when_a_search_began() -> None:
    known = (Acquaintance("n1", "n2", 2.0, 9.0), Acquaintance("n1", "n2", 9.5, 20.0))
    assert replayed(SEARCH, known=known).as_json()["links"] == [0, 1, 9.5, 20.0]


def test_search_without_messages_is_no_replay() -> None:
    assert replayed(replace(SEARCH, messages=())).is_empty
    assert not replayed(replace(SEARCH, messages=()), SEARCH).is_empty


def test_as_many_searches_are_shown_as_have_room_and_they_are_spread() -> None:
    searches = tuple(replace(SEARCH, wanted=str(number)) for number in range(9))
    assert shown(searches, most=18) == searches
    assert [search.wanted for search in shown(searches, most=6)] == ["0", "4", "8"]
    assert len(shown(searches, most=1)) == 1
    assert shown((), most=1) == ()


def test_flood_that_has_no_room_is_cut_and_says_so() -> None:
    (search,) = replayed(replace(SEARCH, messages=SEARCH.messages[:1] * (MOST_MESSAGES + 5))).as_json()["searches"]
    assert (len(search["sent"]), search["unshown"]) == (MOST_MESSAGES, 5)
