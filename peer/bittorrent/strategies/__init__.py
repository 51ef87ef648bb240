"""Decisions of a client, each a small object: what it gives to whom, asks for, says, wants, and when it leaves."""

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


class StrategyError(ValueError):
    """The strategy that was asked for cannot be made; the message says why in one line."""


def make_strategy(name: str, profile: Profile, rng: Random, parameters: Mapping[str, object]) -> Strategy:
    """Make the strategy of one client: one of STRATEGIES, or what `module:Class` or `module:function` makes."""
    make = _imported(name) if ":" in name else _listed(name)
    try:
        _check_names(make, parameters)
        made = make(profile, rng, **parameters)
    except (TypeError, ValueError) as error:
        raise StrategyError(f"strategy {name}: {error}") from error
    if not isinstance(made, Strategy):
        raise StrategyError(f"strategy {name}: expected it to make a Strategy, found {type(made).__name__}")
    return made


def _listed(name: str) -> Callable[..., Strategy]:
    if name in STRATEGIES:
        return STRATEGIES[name]
    near = get_close_matches(name, STRATEGIES, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"expected {', '.join(STRATEGIES)}, or module:Class"
    raise StrategyError(f"strategy {name}: there is none of this name; {hint}")


def _imported(name: str) -> Callable[..., object]:
    module_name, _, attribute = name.partition(":")
    try:
        module = import_module(module_name)
    except (ImportError, SyntaxError, ValueError, TypeError) as error:
        raise StrategyError(f"strategy {name}: module {module_name} cannot be imported: {error}") from error
    found: object = getattr(module, attribute, None)
    if not callable(found):
        raise StrategyError(f"strategy {name}: there is no class or function {attribute} in module {module_name}")
    return found


def _check_names(make: Callable[..., object], parameters: Mapping[str, object]) -> None:
    """Raise TypeError for a parameter that does not exist, with those that do; Python's own words do not name them."""
    taken = list(inspect.signature(make).parameters.values())[2:]
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in taken):
        return
    names = [each.name for each in taken]
    for unknown in (parameter for parameter in parameters if parameter not in names):
        takes = f"it takes {', '.join(names)}" if names else "it takes none"
        raise TypeError(f"there is no parameter {unknown}; {takes}")
