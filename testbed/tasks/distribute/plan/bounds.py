"""The bounds of a distribution, and what it is likely to take."""

from collections.abc import Callable, Mapping
from math import ceil, inf, log2
from typing import Final

from testbed.tasks.distribute.plan.records import (
    Distribution,
    PlannedBound,
    PlannedFluid,
    PlannedPeer,
    Settings,
    Theory,
    TrialHosts,
)
from testbed.theory import (
    SEGMENT_PAYLOAD,
    Bound,
    Downloader,
    Swarm,
    chunked_seconds,
    client_server_bound,
    fluid_rates,
    p2p_bound,
    payload_share,
)
from testbed.theory.wire import FRAME_HEADERS
from testbed.values.records import Estimate

FRAME_BITS: Final = 8 * (SEGMENT_PAYLOAD + FRAME_HEADERS)

LIKELY_RATIO: Final[Mapping[Distribution, float]] = {"client-server": 1.0, "fluid": 1.03, "bittorrent": 1.0}
"""A scheme's time over its bound for payload, for planning only. Measured in two runs with 4 MiB, 2
and 6 peers, and 2 cores: client-server 1.000 to 1.001, fluid 1.007 to 1.042."""

LIKELY_GROWTH: Final = 0.1
"""What is added for each doubling of N + 1 in a BitTorrent swarm. Means of the shipped experiments lie on both sides:
1.04 with 1 peer, 1.13 to 1.5 with 20, 1.7 to 1.9 in swarms of 33 of many classes, 2.1 with 300 that come one by one."""

SET_UP_SECONDS: Final[Mapping[Distribution, float]] = {"client-server": 0.6, "fluid": 0.6, "bittorrent": 1.7}
SECONDS_PER_HOST: Final = 0.04
"""To build the network, start programs and collect what they wrote: from the end of one trial to the end of the next,
less the distribution time. The same runs had 0.5 to 1.0 s for client-server and fluid, and 1.8 to 2.0 s for bittorrent,
with a tracker and a seed that announces itself first; two trials of 300 peers had 13.0 and 13.8 s."""


def theory_of(settings: Settings, hosts: TrialHosts) -> Theory:
    """Calculate the bounds of a trial, and the streams of the fluid scheme where that is run."""
    swarm = _swarm(settings, hosts)
    pieces = ceil(settings.file_size / settings.piece_length)
    return Theory(
        client_server=_bound(client_server_bound, swarm),
        p2p=_bound(p2p_bound, swarm),
        fluid=_streams(swarm) if settings.distribution == "fluid" else None,
        pieces_seconds=chunked_seconds(swarm.in_payload(payload_share()), pieces),
    )


def estimate(settings: Settings, hosts: TrialHosts, theory: Theory) -> Estimate:
    """Estimate a trial from its bound and the rates of its links."""
    swarm, distribution = _swarm(settings, hosts), settings.distribution
    ratio = LIKELY_RATIO[distribution]
    if distribution == "bittorrent":
        ratio += LIKELY_GROWTH * log2(len(swarm.peers) + 1)
    taken = min(settings.time_limit, settings.bound_in(theory).payload_seconds * ratio)
    if hosts.shuts_out_newcomers:
        taken = settings.time_limit
    senders = swarm.server_up + (0 if distribution == "client-server" else swarm.uploads)
    load = min(senders, sum(peer.down for peer in swarm.peers))
    overhead = SET_UP_SECONDS[distribution] + SECONDS_PER_HOST * (len(swarm.peers) + 2)
    return Estimate(seconds=taken + overhead, bits_per_second=load, packets_per_second=load / FRAME_BITS)


def _swarm(settings: Settings, hosts: TrialHosts) -> Swarm:
    """Return the trial as the theory sees it; several servers are one with all their uploads.

    A peer that is to be killed need not complete, and can upload before: it counts as one that has the file. If all are
    to be killed, they count like others.
    """
    all_die = all(peer.killed_at is not None for peer in hosts.peers)
    peers = tuple(_downloader(peer, wants=peer.killed_at is None or all_die) for peer in hosts.peers)
    return Swarm(8 * settings.file_size, sum(server.up or 0 for server in hosts.servers), peers)


def _downloader(peer: PlannedPeer, *, wants: bool) -> Downloader:
    return Downloader(up=peer.up or 0, down=peer.down or inf, held=peer.held if wants else 1.0, arrival=peer.arrival)


def _bound(of: Callable[[Swarm], Bound], swarm: Swarm) -> PlannedBound:
    bound = of(swarm)
    in_payload = of(swarm.in_payload(payload_share()))
    return PlannedBound(seconds=bound.seconds, payload_seconds=in_payload.seconds, limit=bound.limit)


def _streams(swarm: Swarm) -> PlannedFluid:
    rates = fluid_rates(swarm)
    return PlannedFluid(limit=rates.limit, relayed=rates.relayed, direct=rates.direct)
