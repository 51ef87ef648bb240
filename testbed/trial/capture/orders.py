"""What is to be captured at each place of a trial: on hosts' links, and in the cores."""

import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.errors import TrialError
from testbed.experiment.plan.trials import Trial
from testbed.network import Core, EmulatedHost, Network
from testbed.tasks.launches import TrialContext
from testbed.trial.capture.filters import FilterError, compiled, libpcap_version
from testbed.trial.capture.program import Order
from testbed.values.captures import PlannedCapture, ring_bytes
from testbed.values.records import PlannedHost

_QUIET_SECONDS: Final = 0.3
"""Longer than the kernel keeps packets back, and than TCP waits at least before it sends again."""


@dataclass(frozen=True)
class Place:
    """A host or a core, and what is to be captured there."""

    node: EmulatedHost | Core
    order: Order


@dataclass(frozen=True)
class CaptureSite:
    """A trial on a network that is built."""

    network: Network
    context: TrialContext
    groups: Mapping[str, str]
    """The group of each host."""
    software: str
    """What performs the trial, with its version and commit."""

    @property
    def _trial(self) -> Trial:
        return self.context.trial

    def places(self, folder: Path) -> list[Place]:
        """Return where to capture, and what; files are to be in this folder."""
        wanted = self._trial.settings.capture
        if wanted is None:
            return []
        nodes = list(self._nodes(wanted))
        program, ring = self._program(wanted).hex(), ring_bytes(len(nodes))
        return [Place(node, self._order(node, wanted, str(folder / node.name), program, ring)) for node in nodes]

    def _order(self, node: EmulatedHost | Core, wanted: PlannedCapture, base: str, program: str, ring: int) -> Order:
        return Order(
            base=base,
            interfaces=self._interfaces(node),
            is_core=isinstance(node, Core),
            program=program,
            filter=wanted.filter,
            snaplen=wanted.snaplen,
            limit=wanted.size_limit,
            count=wanted.files,
            ring=ring,
            quiet=_QUIET_SECONDS + _longest_round_trip(self._trial.hosts.all),
            comment=f"trial {self._trial.id}; {_place(node)}; {self.software}",
            names=self._names(),
            software=self._software(wanted),
            system=f"{platform.system()} {platform.release()}",
        )

    def _nodes(self, wanted: PlannedCapture) -> Iterator[EmulatedHost | Core]:
        groups = {name: self.groups.get(name, "") for name in self._trial.hosts.positions}
        for name in wanted.chosen(groups):
            yield self.network.host(name)
        if wanted.core:
            yield from self.network.cores

    def _program(self, wanted: PlannedCapture) -> bytes:
        try:
            return compiled(wanted.filter, wanted.snaplen)
        except FilterError as error:
            raise TrialError(f"capture.filter: {error}") from error

    def _software(self, wanted: PlannedCapture) -> str:
        return f"{self.software}; filter by libpcap {libpcap_version()}" if wanted.filter else self.software

    def _interfaces(self, node: EmulatedHost | Core) -> dict[str, str]:
        """Return the interfaces of a place, with what they lead to: of a core, the links of its hosts, not the trunks.

        So what crosses several cores is captured in the first one alone.
        """
        if isinstance(node, EmulatedHost):
            return {node.access.name: f"the link of {node.name}"}
        ends = self.network.access_ends(node)
        return {end.name: f"from {end.peer.home.name}" for end in ends}

    def _names(self) -> dict[str, str]:
        addresses = [self.context.addresses, self.context.return_addresses]
        hosts = {address: name for each in addresses for name, address in each.items()}
        return hosts | {str(self.network.address_of(core)): core.name for core in self.network.cores}


def _place(node: EmulatedHost | Core) -> str:
    return f"core {node.name}" if isinstance(node, Core) else f"host {node.name}"


def _longest_round_trip(hosts: tuple[PlannedHost, ...]) -> float:
    """Return the longest time for a packet and its answer, which pass two links each."""
    return 4 * max((host.delay + host.jitter for host in hosts), default=0.0)
