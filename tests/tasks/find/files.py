"""Experiment files of searches for tests."""

from pathlib import Path

from testbed.experiment.plan.trials import Trial
from testbed.tasks.find.plan.records import FindHosts
from testbed.tasks.find.plan.searches import Scenario, draw_scenario
from testbed.tasks.find.trials import hosts_of, settings_of
from tests.experiment.files import planned

RING = """\
task: find
overlay: chord
nodes:
  homes: {count: 8, up: 1 Mbit/s, down: 4 Mbit/s}
content: {items: 10, copies: {each: 2}}
queries: {rate: 20 /min, from: 5 s, until: 30 s}
"""
DIRECTORY = """\
task: find
overlay: napster
directory: {up: 10 Mbit/s}
nodes:
  homes: {count: 6, up: 1 Mbit/s}
  riders: {count: 2, up: 1 Mbit/s, shares: 0 %}
content: {items: 10, copies: {each: 2}}
queries: {rate: 20 /min, from: 5 s, until: 30 s}
"""
ATTACKED = """\
task: find
overlay: {class: kademlia, has_secure_ids: true}
nodes:
  attackers: {count: 2, role: sybil, targets: 3, up: 1 Mbit/s, shares: 0 %, asks: false}
  homes: {count: 6, up: 1 Mbit/s}
content: {items: 10, copies: {each: 2}}
queries: {rate: 20 /min, from: 5 s, until: 30 s}
"""


def trial_of(folder: Path, text: str) -> Trial:
    """Return the only trial of an experiment."""
    (trial,) = planned(folder, text).trials
    return trial


def hosts(folder: Path, text: str) -> FindHosts:
    return hosts_of(trial_of(folder, text))


def scenario(folder: Path, text: str) -> Scenario:
    trial = trial_of(folder, text)
    return draw_scenario(settings_of(trial), hosts_of(trial))
