"""Strategies are made by name; one that cannot be made is refused with a one-line message."""

import sys
from collections.abc import Callable, Iterator
from inspect import signature
from pathlib import Path
from random import Random
from typing import get_args

import pytest

from contract.programs import STRATEGIES as CONTRACT_STRATEGIES
from contract.programs import ProfileName
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import Strategy
from peer.bittorrent.strategies.parts.pickers import RandomOrder, RarestFirst, Sequential
from peer.bittorrent.strategies.registry import STRATEGIES, StrategyError, make_strategy
from tests.peer.bittorrent.strategies.candidates import neighbours, view_of
from tests.peer.bittorrent.strategies.progress import progress

COURSE = PROFILES["course"]
IMPORTS = "from dataclasses import replace\nfrom peer.bittorrent.strategies.api import tit_for_tat\n"


def made(name: str, **parameters: object) -> Strategy:
    return make_strategy(name, COURSE, Random(1), parameters)


def refusal(name: str, **parameters: object) -> str:
    with pytest.raises(StrategyError) as error:
        made(name, **parameters)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Writes the module `mine` of a user."""

    def write(text: str) -> None:
        (tmp_path / "mine.py").write_text(text)

    monkeypatch.syspath_prepend(tmp_path)
    yield write
    sys.modules.pop("mine", None)


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_has_a_name_and_departure(name: str) -> None:
    strategy = made(name, departure="at-completion")
    assert strategy.name == name
    assert strategy.departure.decide(progress(completed_at=100)) is not None
    assert refusal(name, departure="soon").startswith(f"strategy {name}: departure: expected ")


@pytest.mark.parametrize("name", [name for name, make in STRATEGIES.items() if "slots" in signature(make).parameters])
def test_slots_parameter_limits_served_neighbours(name: str) -> None:
    assert len(made(name, slots=2).choker.allocate(view_of(neighbours("3 2 1 0 0"))).grants) == 2


def test_registry_and_profiles_are_those_of_the_contract() -> None:
    assert tuple(STRATEGIES) == CONTRACT_STRATEGIES
    assert tuple(PROFILES) == get_args(ProfileName)


def test_order_controls_differ_only_in_the_picker() -> None:
    pickers = {"tit-for-tat": RarestFirst, "sequential": Sequential, "random-order": RandomOrder}
    assert {name: type(made(name).picker) for name in pickers} == pickers
    for part in ("choker", "advertiser", "peer_policy", "departure"):
        assert len({type(getattr(made(name), part)) for name in pickers}) == 1


def test_user_strategy_is_imported(module: Callable[[str], None]) -> None:
    module(IMPORTS + "def generous(profile, rng, *, slots=9): return tit_for_tat(profile, rng, slots=slots)\n")
    words = " ".join(["0"] * 20)
    assert len(made("mine:generous").choker.allocate(view_of(neighbours(words))).grants) == 9
    assert len(made("mine:generous", slots=7).choker.allocate(view_of(neighbours(words))).grants) == 7


def test_user_strategy_may_take_any_parameter(module: Callable[[str], None]) -> None:
    module(IMPORTS + "def any(profile, rng, **given): return tit_for_tat(profile, rng, slots=given['slots'])\n")
    assert made("mine:any", slots=3, other=1).name == "tit-for-tat"


def test_unknown_name_is_refused_with_a_suggestion() -> None:
    assert refusal("tit4tat") == "strategy tit4tat: there is no strategy of this name; did you mean tit-for-tat?"
    known = f"expected tit-for-tat, sequential, random-order, {', '.join(list(STRATEGIES)[3:])}, or module:Class"
    assert refusal("xyz") == f"strategy xyz: there is no strategy of this name; {known}"


def test_missing_module_is_refused() -> None:
    assert refusal("nowhere:X") == "strategy nowhere:X: module nowhere cannot be imported: No module named 'nowhere'"
    assert refusal(":X").startswith("strategy :X: module  cannot be imported: ")


@pytest.mark.parametrize("old", ["peer.strategies.seam", "peer.strategies", "peer.swarm.profile"])
def test_import_from_an_old_package_names_the_api(module: Callable[[str], None], old: str) -> None:
    module(f"from {old} import Strategy\n")
    expected = "; import everything that a strategy needs from peer.bittorrent.strategies.api (mine.py, line 1)"
    assert refusal("mine:X").endswith(expected)


def test_part_without_its_method_is_refused(module: Callable[[str], None]) -> None:
    module(
        IMPORTS
        + "class Old:\n    def allot(self, view): pass\n"
        + "def old(profile, rng): return replace(tit_for_tat(profile, rng), choker=Old())\n"
    )
    assert refusal("mine:old") == "strategy mine:old: its choker, Old, has no method allocate (mine.py, line 5)"


def test_syntax_error_is_reported_with_its_line(module: Callable[[str], None]) -> None:
    module("def broken(:\n")
    expected = "strategy mine:X: module mine cannot be imported: SyntaxError: invalid syntax (mine.py, line 1)"
    assert refusal("mine:X") == expected


def test_exception_at_import_is_reported_with_its_line(module: Callable[[str], None]) -> None:
    module("rates = []\n\nfirst = rates[0]\n")
    expected = "module mine cannot be imported: IndexError: list index out of range (mine.py, line 3)"
    assert refusal("mine:X") == f"strategy mine:X: {expected}"


def test_error_of_a_constructor_is_reported_with_its_line(module: Callable[[str], None]) -> None:
    module(IMPORTS + "def mine(profile, rng, *, most):\n    return tit_for_tat(profile, rng, slots=most + 1)\n")
    assert refusal("mine:mine", most="4") == (
        'strategy mine:mine: can only concatenate str (not "int") to str (mine.py, line 4)'
    )


def test_wrong_signature_is_refused_with_the_right_one(module: Callable[[str], None]) -> None:
    module(IMPORTS + "def mine(profile): return tit_for_tat(profile, None)\n")
    expected = (
        "mine() takes 1 positional argument but 2 were given; it is called with the profile, a random source, and"
    )
    assert refusal("mine:mine").startswith(f"strategy mine:mine: {expected} the parameters by their names (mine.py")


def test_fault_names_the_parameter_to_blame() -> None:
    for parameters in ({"exces": "withheld"}, {"excess": "kept"}):
        with pytest.raises(StrategyError) as error:
            make_strategy("bittyrant", COURSE, Random(1), parameters)
        assert error.value.fault.parameter == next(iter(parameters))


@pytest.mark.parametrize("name", ["mine:X", "mine:x", "mine:"])
def test_missing_class_is_refused(module: Callable[[str], None], name: str) -> None:
    module("x = 5\n")
    attribute = name.partition(":")[2]
    assert refusal(name) == f"strategy {name}: there is no class or function {attribute} in module mine"


def test_unknown_parameter_is_refused_with_the_known_ones() -> None:
    expected = "there is no parameter slot (did you mean slots?); it takes departure, slots, neighbours, per_host"
    assert refusal("tit-for-tat", slot=4) == f"strategy tit-for-tat: {expected}"


def test_strategy_without_parameters_takes_none(module: Callable[[str], None]) -> None:
    module(IMPORTS + "def plain(profile, rng): return tit_for_tat(profile, rng)\n")
    assert refusal("mine:plain", slots=4) == "strategy mine:plain: there is no parameter slots; it takes none"


@pytest.mark.parametrize("found", [0, -1, "4", 2.5, True])
@pytest.mark.parametrize("name", ["slots", "neighbours", "per_host"])
def test_counts_must_be_whole_numbers(name: str, found: object) -> None:
    expected = f"strategy tit-for-tat: {name}: expected a whole number, 1 or more, found {found!r}"
    assert refusal("tit-for-tat", **{name: found}) == expected


def test_dialling_stops_at_half_of_the_neighbours() -> None:
    targets = made("tit-for-tat", neighbours=9).peer_policy.targets(progress(), ())
    assert (targets.most_neighbours, targets.dials_up_to) == (9, 5)


def test_invalid_departure_is_refused() -> None:
    assert refusal("sequential", departure="soon").startswith("strategy sequential: departure: expected ")


def test_missing_parameter_is_refused(module: Callable[[str], None]) -> None:
    module(IMPORTS + "def needy(profile, rng, *, alms): return tit_for_tat(profile, rng)\n")
    assert "missing 1 required keyword-only argument: 'alms'" in refusal("mine:needy")


def test_result_that_is_no_strategy_is_refused(module: Callable[[str], None]) -> None:
    module("class X:\n    def __init__(self, profile, rng): pass\n")
    assert refusal("mine:X") == "strategy mine:X: expected it to make a Strategy, found X (mine.py, line 2)"
    assert refusal("builtins:dict").startswith("strategy builtins:dict: ")
