"""The strategies by name, and how one is made from its name and parameters."""

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib import import_module
from random import Random
from typing import Final

from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Strategy
from peer.bittorrent.strategies.bitthief import bitthief
from peer.bittorrent.strategies.bittyrant import bittyrant
from peer.bittorrent.strategies.controls import no_optimistic, optimistic_only, random_unchoke
from peer.bittorrent.strategies.false_pieces import false_pieces
from peer.bittorrent.strategies.fastest_only import fastest_only
from peer.bittorrent.strategies.faults import Fault, describe, line_of, message_of, own_lines
from peer.bittorrent.strategies.large_view import large_view
from peer.bittorrent.strategies.leaving import altruist, selfish
from peer.bittorrent.strategies.polluter import polluter
from peer.bittorrent.strategies.propshare import propshare
from peer.bittorrent.strategies.seed_drain import seed_drain
from peer.bittorrent.strategies.seed_policies import anti_leech, seed_fastest, seed_round_robin
from peer.bittorrent.strategies.seeds_only import seeds_only
from peer.bittorrent.strategies.standard import random_order, sequential, tit_for_tat
from peer.bittorrent.strategies.super_seeding import super_seeding
from peer.bittorrent.strategies.swift import swift
from peer.bittorrent.strategies.sybil import sybil
from peer.bittorrent.strategies.under_report import under_report
from peer.bittorrent.strategies.whitewash import whitewash

STRATEGIES: Final[Mapping[str, Callable[..., Strategy]]] = {
    "tit-for-tat": tit_for_tat,
    "sequential": sequential,
    "random-order": random_order,
    "random-unchoke": random_unchoke,
    "optimistic-only": optimistic_only,
    "no-optimistic": no_optimistic,
    "bittyrant": bittyrant,
    "propshare": propshare,
    "bitthief": bitthief,
    "large-view": large_view,
    "seeds-only": seeds_only,
    "fastest-only": fastest_only,
    "false-pieces": false_pieces,
    "under-report": under_report,
    "sybil": sybil,
    "whitewash": whitewash,
    "seed-drain": seed_drain,
    "polluter": polluter,
    "selfish": selfish,
    "altruist": altruist,
    "seed-round-robin": seed_round_robin,
    "seed-fastest": seed_fastest,
    "anti-leech": anti_leech,
    "super-seeding": super_seeding,
    "swift": swift,
}


METHODS: Final = {
    "choker": ("allocate",),
    "picker": ("pick",),
    "advertiser": ("initial_bitfield", "announce_to", "due_haves", "answer_have", "reported_totals"),
    "peer_policy": ("targets",),
    "departure": ("decide",),
}
"""The methods of each part, which are checked when a strategy is made: a user's module passes no type checker."""

API: Final = "peer.bittorrent.strategies.api"
FORMER_PACKAGES: Final = ("peer.strategies", "peer.swarm", "peer.wire")


class StrategyError(ValueError):
    """The requested strategy cannot be made; the message says why in one line."""

    def __init__(self, name: str, fault: Fault) -> None:
        place = f" ({fault.lines[-1].file.rpartition('/')[2]}, line {fault.lines[-1].number})" if fault.lines else ""
        super().__init__(f"strategy {name}: {fault.problem}{place}")
        self.fault: Final = fault


def make_strategy(name: str, profile: Profile, rng: Random, parameters: Mapping[str, object]) -> Strategy:
    """Make the strategy of one client: one of STRATEGIES, or the result of `module:Class` or `module:function`."""
    make = _imported(name) if ":" in name else _listed(name)
    _check_names(name, make, parameters)
    try:
        made = make(profile, rng, **parameters)
    except (TypeError, ValueError) as error:
        raise StrategyError(name, _refusal(name, make, error, parameters)) from error
    if not isinstance(made, Strategy):
        problem = f"expected it to make a Strategy, found {type(made).__name__}"
        raise StrategyError(name, Fault(problem, lines=line_of(make)))
    _check_parts(name, make, made)
    return made


def module_of(name: str) -> str:
    """Return the module of `module:Class`; empty for one of STRATEGIES."""
    return name.partition(":")[0] if ":" in name else ""


def _listed(name: str) -> Callable[..., Strategy]:
    if name in STRATEGIES:
        return STRATEGIES[name]
    near = get_close_matches(name, STRATEGIES, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"expected {', '.join(STRATEGIES)}, or module:Class"
    raise StrategyError(name, Fault(f"there is no strategy of this name; {hint}"))


def _imported(name: str) -> Callable[..., object]:
    module_name, _, attribute = name.partition(":")
    try:
        module = import_module(module_name)
    except Exception as error:
        why = message_of(error) if isinstance(error, ImportError) else describe(error)
        problem = f"module {module_name} cannot be imported: {why}{_hint(error)}"
        raise StrategyError(name, Fault(problem, lines=own_lines(error, [module_name]))) from error
    found: object = getattr(module, attribute, None)
    if not callable(found):
        raise StrategyError(name, Fault(f"there is no class or function {attribute} in module {module_name}"))
    return found


def _hint(error: Exception) -> str:
    """Return where the names of a package are now that earlier releases had; empty for other errors."""
    missing = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    if not any(missing == package or missing.startswith(f"{package}.") for package in FORMER_PACKAGES):
        return ""
    return f"; import everything that a strategy needs from {API}"


def _check_names(name: str, make: Callable[..., object], parameters: Mapping[str, object]) -> None:
    """Refuse an unknown parameter, naming the known ones, which Python's own message does not."""
    names = _parameter_names(make)
    for unknown in (parameter for parameter in parameters if names is not None and parameter not in names):
        near = get_close_matches(unknown, names or (), n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        takes = f"it takes {', '.join(names)}" if names else "it takes none"
        raise StrategyError(name, Fault(f"there is no parameter {unknown}{hint}; {takes}", unknown))


def _parameter_names(make: Callable[..., object]) -> list[str] | None:
    """Return the names after the profile and the random source; None if any name is taken, or the names are unknown."""
    try:
        taken = list(inspect.signature(make).parameters.values())[2:]
    except (TypeError, ValueError):  # as some classes that are not written in Python
        return None
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in taken)
    return None if takes_any else [each.name for each in taken if each.kind is not inspect.Parameter.VAR_POSITIONAL]


def _refusal(name: str, make: Callable[..., object], error: Exception, parameters: Mapping[str, object]) -> Fault:
    """Say why a strategy was not made; its author states what is wrong with a parameter as `NAME: ...`."""
    if error.__traceback__ is None or error.__traceback__.tb_next is None:  # it could not be called
        called = "; it is called with the profile, a random source, and the parameters by their names"
        return Fault(f"{message_of(error)}{called}", lines=line_of(make))
    problem = message_of(error)
    blamed = problem.partition(":")[0]
    return Fault(problem, blamed if blamed in parameters else "", own_lines(error, [module_of(name)]))


def _check_parts(name: str, make: Callable[..., object], strategy: Strategy) -> None:
    for field, methods in METHODS.items():
        part = getattr(strategy, field)
        for method in methods:
            if not callable(getattr(part, method, None)):
                problem = f"its {field}, {type(part).__name__}, has no method {method}"
                raise StrategyError(name, Fault(problem, lines=line_of(make)))
