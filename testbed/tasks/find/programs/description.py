"""What each node is to do, as `python -m peer node` reads it: docs/find/running.md explains the keys."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from testbed.tasks.find.plan.hosts import DIRECTORY
from testbed.tasks.find.plan.records import FindHosts, PlannedMember, PlannedNode
from testbed.tasks.find.plan.searches import PlannedSearch, Scenario, draw_scenario
from testbed.tasks.find.trials import hosts_of, settings_of
from testbed.tasks.launches import TrialContext
from testbed.values.parts import Nested

PORT: Final = 6346
_FOLDER: Final = "nodes"

Taken = Mapping[str, Sequence[str]]
"""By role, the names of the parameters that such a node has."""


def description_file(context: TrialContext, host: PlannedMember) -> Path:
    """Return where the description of a host is."""
    return context.folder / _FOLDER / f"{host.name}.json"


def write_descriptions(context: TrialContext, taken: Taken) -> None:
    """Write the descriptions of all hosts of a trial."""
    (context.folder / _FOLDER).mkdir()
    settings, hosts = settings_of(context.trial), hosts_of(context.trial)
    describing = Describing(context, hosts, draw_scenario(settings, hosts), taken)
    for host in hosts.all:
        description_file(context, host).write_text(json.dumps(describing.of(host)), encoding="utf-8")


class Describing:
    """Makes the descriptions of one trial."""

    def __init__(self, context: TrialContext, hosts: FindHosts, scenario: Scenario, taken: Taken) -> None:
        self._context: Final = context
        self._settings: Final = settings_of(context.trial)
        self._hosts: Final = hosts
        self._scenario: Final = scenario
        self._taken: Final = taken
        self._followed: Final = [search.name for search in scenario.followed]
        self._searches: Final[dict[str, list[PlannedSearch]]] = {}
        for search in scenario.searches:
            self._searches.setdefault(search.node, []).append(search)

    def of(self, host: PlannedMember) -> dict[str, Any]:
        """Return the description of a host."""
        node = host if isinstance(host, PlannedNode) else None
        role = node.role if node else DIRECTORY
        return {
            "overlay": self._settings.overlay.name,
            "role": role,
            "parameters": self._parameters(role, node.parameters if node else {}),
            "address": self._address(host.name),
            "seed": host.seed,
            "followed": self._followed,
            **(self._of_node(node) if node else {}),
        }

    def _of_node(self, node: PlannedNode) -> dict[str, Any]:
        size = self._settings.content.size
        return {
            "known": [self._address(name) for name in node.known],
            "items": [{"name": thing.name, "size": size} for thing in self._scenario.catalogue.held_by(node.name)],
            "searches": [
                {"at": search.at, "name": search.name, "wanted": search.wanted, "is_exact": search.is_exact}
                for search in self._searches.get(node.name, ())
            ],
            "sessions": list(self._sessions(node)),
            **(self._attack(node) if node.targets else {}),
            **({"downloads": True} if self._settings.downloads else {}),
        }

    def _attack(self, node: PlannedNode) -> dict[str, Any]:
        """Tell an attacker what it attacks, and with whom: all of its group."""
        targets = [thing.name for thing in self._scenario.catalogue.things[: node.targets]]
        group = [self._address(name) for name, group in self._hosts.groups.items() if group == node.group]
        return {"attack": {"targets": targets, "attackers": group}}

    def _parameters(self, role: str, own: Mapping[str, Nested]) -> dict[str, Nested]:
        taken, written = self._taken.get(role, ()), self._settings.overlay.parameters_with(own)
        return {name: value for name, value in written.items() if name in taken}

    def _sessions(self, node: PlannedNode) -> Iterator[dict[str, Any]]:
        addresses = [self._address(node.name)]
        if node.new_address:
            addresses.append(f"{self._context.return_addresses[node.name]}:{PORT}")
        for number, (join, leave) in enumerate(node.sessions):
            session = {"join": join, "by_word": node.by_word, "address": addresses[number % len(addresses)]}
            yield session if leave is None else {**session, "leave": leave}

    def _address(self, name: str) -> str:
        return f"{self._context.addresses[name]}:{PORT}"
