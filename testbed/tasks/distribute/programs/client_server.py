"""Client-server over HTTP: each client fetches the file over one connection (docs/distribution.md)."""

from typing import Final

from testbed.errors import TrialError
from testbed.experiment.plan.trials import Trial
from testbed.tasks.distribute.plan.records import PlannedPeer, PlannedServer
from testbed.tasks.distribute.programs.payload_file import payload_file
from testbed.tasks.distribute.schema.keys import NGINX
from testbed.tasks.distribute.trials import hosts_of, settings_of
from testbed.tasks.launches import READY_LINE, WAITING_LINE, Launch, TrialContext

_PORT: Final = 8080
_DEPARTURES: Final = ("stay", "at-completion", "linger")
"""They mean the same for a client, which has nothing to upload."""


def check(trial: Trial) -> None:
    """Raise TrialError for peers that cannot be clients: a client fetches the whole file, then leaves."""
    for planned in hosts_of(trial).peers:
        if planned.held or planned.departure.kind not in _DEPARTURES:
            raise TrialError(
                f"group {planned.group}: a client of client-server starts with no data and leaves when it has the whole"
                " file: leave out `start:`, and set `departure:` to stay, at-completion or linger"
            )


def server(context: TrialContext, planned: PlannedServer) -> Launch:
    """Launch the HTTP server."""
    words = ("--bind", context.addresses[planned.name], "--port", str(_PORT), "--trace", context.trace(planned))
    return Launch(("peer", "serve", payload_file(context), *words), READY_LINE)


def nginx(context: TrialContext, planned: PlannedServer) -> Launch:
    """Launch nginx with the original, which it only reads."""
    words = (
        *("--file", payload_file(context), "--folder", context.folder / "servers"),
        *("--bind", context.addresses[planned.name], "--port", str(_PORT), "--trace", context.trace(planned)),
    )
    return Launch(("peer", "service", NGINX, *words), READY_LINE)


def client(context: TrialContext, planned: PlannedPeer) -> Launch:
    """Launch a client, which compares what it fetches and does not store it. Several servers are used in turn."""
    hosts = hosts_of(context.trial)
    chosen = hosts.servers[hosts.peers.index(planned) % len(hosts.servers)]
    url = f"http://{context.addresses[chosen.name]}:{_PORT}/{payload_file(context).name}"
    words = (
        *("--discard", "--original", payload_file(context), "--size", str(settings_of(context.trial).file_size)),
        *("--bind", context.addresses[planned.name], "--trace", context.trace(planned)),
        *("--seed", str(planned.seed), "--wait-for-start"),
    )
    return Launch(("peer", "fetch", url, *words), WAITING_LINE, waits_for_start=True)
