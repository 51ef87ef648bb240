"""The scheme that attains the bound: the streams that the theory computes, over real sockets (docs/distribution.md)."""

import json
from typing import Final

from testbed.experiment.plan.trials import PlannedPeer, PlannedServer, Trial
from testbed.theory import payload_share
from testbed.trial.applications.launch import (
    READY,
    WAITING,
    Launch,
    Stage,
)
from testbed.trial.errors import TrialError

_PORT: Final = 7000
_PLAN: Final = "streams.json"


def check(trial: Trial) -> None:
    """Raise a TrialError unless there is one server."""
    if len(trial.hosts.servers) != 1:
        raise TrialError(f"the fluid scheme has one server, not {len(trial.hosts.servers)}: set servers.count to 1")


def write_plan(stage: Stage) -> None:
    """Tell all programs the streams: addresses, and rates in bytes of the file a second."""
    hosts, streams = stage.trial.hosts, stage.trial.theory.fluid
    if streams is None:
        raise TrialError("the plan has no streams for the fluid scheme")
    share = payload_share() / 8
    plan = {
        "length": stage.trial.settings.file_size,
        "server": _place(stage, hosts.servers[0]),
        "peers": [_place(stage, peer) for peer in hosts.peers],
        "relayed": [rate * share for rate in streams.relayed],
        "direct": streams.direct * share,
    }
    (stage.folder / _PLAN).write_text(json.dumps(plan, indent=2) + "\n")


def _place(stage: Stage, planned: PlannedServer) -> str:
    return f"{stage.addresses[planned.name]}:{_PORT}"


def server(stage: Stage, planned: PlannedServer) -> Launch:
    """Give the streams; nothing leaves before a peer asks."""
    return Launch(_words(stage, planned, "server"), READY, may_end=True)


def peer(stage: Stage, planned: PlannedPeer) -> Launch:
    """Take the streams in, and relay one of them."""
    number = stage.trial.hosts.peers.index(planned) + 1
    return Launch((*_words(stage, planned, str(number)), "--wait-for-start"), WAITING, is_held=True)


def _words(stage: Stage, planned: PlannedServer, who: str) -> tuple[str, ...]:
    words = (stage.folder / _PLAN, "--as", who, "--original", stage.original, "--trace", stage.trace(planned))
    return ("peer", "relay", *map(str, words), "--seed", str(planned.seed))
