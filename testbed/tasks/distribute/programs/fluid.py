"""The scheme that attains the bound: the streams of the theory over real sockets (docs/distribution.md)."""

import json
from typing import Final

from testbed.errors import TrialError
from testbed.experiment.plan.trials import Trial
from testbed.tasks.distribute.plan.records import PlannedPeer, PlannedServer
from testbed.tasks.distribute.programs.payload_file import payload_file
from testbed.tasks.distribute.trials import hosts_of, settings_of, theory_of
from testbed.tasks.launches import READY_LINE, WAITING_LINE, Launch, TrialContext
from testbed.theory import payload_share

_PORT: Final = 7000
_PLAN: Final = "streams.json"


def check(trial: Trial) -> None:
    """Raise TrialError unless there is exactly one server."""
    if len(hosts_of(trial).servers) != 1:
        raise TrialError(f"the fluid scheme has one server, not {len(hosts_of(trial).servers)}: set servers.count to 1")


def write_plan(context: TrialContext) -> None:
    """Write the streams for all programs: addresses, and rates in bytes of the file per second."""
    hosts, streams = hosts_of(context.trial), theory_of(context.trial).fluid
    if streams is None:
        raise TrialError("the plan has no streams for the fluid scheme")
    share = payload_share() / 8
    plan = {
        "length": settings_of(context.trial).file_size,
        "server": _place(context, hosts.servers[0]),
        "peers": [_place(context, peer) for peer in hosts.peers],
        "relayed": [rate * share for rate in streams.relayed],
        "direct": streams.direct * share,
    }
    (context.folder / _PLAN).write_text(json.dumps(plan, indent=2) + "\n")


def _place(context: TrialContext, planned: PlannedServer) -> str:
    return f"{context.addresses[planned.name]}:{_PORT}"


def server(context: TrialContext, planned: PlannedServer) -> Launch:
    """Launch the server, which sends each stream when its peer asks for it."""
    return Launch(_words(context, planned, "server"), READY_LINE, may_end=True)


def peer(context: TrialContext, planned: PlannedPeer) -> Launch:
    """Launch a peer, which receives all streams and relays one of them."""
    number = hosts_of(context.trial).peers.index(planned) + 1
    return Launch((*_words(context, planned, str(number)), "--wait-for-start"), WAITING_LINE, waits_for_start=True)


def _words(context: TrialContext, planned: PlannedServer, who: str) -> tuple[str, ...]:
    plan, trace = context.folder / _PLAN, context.trace(planned)
    words = (plan, "--as", who, "--original", payload_file(context), "--trace", trace)
    return ("peer", "relay", *map(str, words), "--seed", str(planned.seed))
