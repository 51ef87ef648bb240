"""`python -m peer strategies`: make strategies, and tell what is wrong with each."""

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from random import Random
from typing import Any, Final

from peer.bittorrent.strategies.api import PROFILES, StrategyError, make_strategy
from peer.bittorrent.strategies.faults import Fault, fault_of
from peer.bittorrent.strategies.registry import module_of
from peer.process.arguments import assignment
from peer.process.confinement import Answers, Confinement, confine, read_question
from peer.process.exit_status import ExitStatus, exit_codes

DESCRIPTION: Final = """\
Make strategies, as peers do when they start. Standard input is a JSON object:
  strategies   a list of {"strategy", "set", "departure", "profile", "time_scale"}, with the values of the options of
               `seed` and `leech`
  folder, seconds, memory, owner
               where modules are, how long each may take, bytes of memory, [user, group] if root is to become them
"""
EPILOG: Final = (
    "For each, it prints two lines of JSON on standard output:\n"
    '  {"number": K, "state": "begun"}\n'
    '  {"number": K, "state": "made"}   or "refused", with "problem", "parameter" and "lines" of its author\n\n'
    + exit_codes(ExitStatus.OK, ExitStatus.USAGE)
)


def add_to(parser: argparse.ArgumentParser) -> None:
    """There are no options."""


def run(_: argparse.Namespace) -> int:
    question = read_question("what strategies to make")
    answers = confine(confinement := Confinement.of(question))
    for number, described in enumerate(question["strategies"]):
        answers.tell({"number": number, "state": "begun"})
        answers.expect_progress(confinement.seconds)
        _answer(answers, number, _fault(described))
    answers.end()


def parameters_of(described: Mapping[str, Any]) -> dict[str, object]:
    """Return the parameters of a strategy as the command line of a peer gives them."""
    parameters = dict(map(assignment, described["set"]))
    return parameters if described["departure"] is None else {**parameters, "departure": described["departure"]}


def _fault(described: Mapping[str, Any]) -> Fault | None:
    """Make a strategy, and return what is wrong with it."""
    name = described["strategy"]
    try:
        profile = PROFILES[described["profile"]].scaled(described["time_scale"])
        make_strategy(name, profile, Random(1), parameters_of(described))
    except StrategyError as error:
        return error.fault
    except BaseException as error:  # the author's code may raise anything, SystemExit too
        return fault_of(error, [module_of(name)])
    return None


def _answer(answers: Answers, number: int, fault: Fault | None) -> None:
    if fault is None:
        answers.tell({"number": number, "state": "made"})
    else:
        answers.tell({"number": number, "state": "refused", **asdict(fault)})
