"""Client-server over HTTP: each client fetches the file over one connection (docs/distribution.md)."""

from typing import Final

from testbed.experiment.plan.trials import PlannedPeer, PlannedServer, Trial
from testbed.trial.applications.launch import (
    READY,
    WAITING,
    Launch,
    Stage,
)
from testbed.trial.errors import TrialError

_PORT: Final = 8080
_DEPARTURES: Final = ("stay", "at-completion", "linger")
"""Which come to the same for a client, who has nothing to give."""


def check(trial: Trial) -> None:
    """Raise a TrialError for peers that should do what a client cannot: it fetches the whole file, and is gone then."""
    for planned in trial.hosts.peers:
        if planned.held or planned.departure.kind not in _DEPARTURES:
            raise TrialError(
                f"group {planned.group}: a client of client-server begins with nothing and leaves when it has all:"
                " leave `start:` out, and of departures only stay, at-completion and linger are possible"
            )


def server(stage: Stage, planned: PlannedServer) -> Launch:
    """Serve the file."""
    words = ("--bind", stage.addresses[planned.name], "--port", str(_PORT), "--trace", stage.trace(planned))
    return Launch(("peer", "serve", stage.original, *words), READY)


def client(stage: Stage, planned: PlannedPeer) -> Launch:
    """Fetch the file, compare it, and give it up; with several servers, clients take them in turn."""
    hosts = stage.trial.hosts
    chosen = hosts.servers[hosts.peers.index(planned) % len(hosts.servers)]
    url = f"http://{stage.addresses[chosen.name]}:{_PORT}/{stage.original.name}"
    words = (
        *("--discard", "--original", stage.original, "--size", str(stage.trial.settings.file_size)),
        *("--bind", stage.addresses[planned.name], "--trace", stage.trace(planned)),
        *("--seed", str(planned.seed), "--wait-for-start"),
    )
    return Launch(("peer", "fetch", url, *words), WAITING, is_held=True)
