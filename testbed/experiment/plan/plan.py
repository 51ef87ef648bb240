"""The experiment resolved: every trial with every value filled in. No kernel, no clock, the same every time."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from math import ceil, inf
from typing import Any

from testbed.experiment.file.errors import ExperimentError, Place, Problem
from testbed.experiment.file.load import ExperimentFile, Variant, strategies_in
from testbed.experiment.plan.draws import Draws
from testbed.experiment.plan.estimates import estimate
from testbed.experiment.plan.hosts import draw_hosts
from testbed.experiment.plan.trials import (
    PlannedBound,
    PlannedFluid,
    PlannedTopology,
    Record,
    Settings,
    Theory,
    Trial,
    TrialHosts,
)
from testbed.experiment.schema.experiment import Experiment
from testbed.experiment.schema.figures import Figure
from testbed.theory import (
    Bound,
    Downloader,
    Swarm,
    chunked_seconds,
    client_server_bound,
    fluid_rates,
    p2p_bound,
    payload_share,
)


class Plan(Record):
    """All trials of an experiment, in the order in which they are run, and what is to be made of them."""

    title: str
    question: str
    keys: tuple[str, ...]
    """What is swept."""
    pair: str | None
    seed: int
    repeat: int
    trials: tuple[Trial, ...]
    figures: dict[str, Figure]
    expect: tuple[str, ...]

    def to_json(self) -> str:
        """Write the plan so that `from_json` reads the same."""
        return self.model_dump_json(indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Read what `to_json` wrote."""
        return cls.model_validate_json(text)


def make_plan(file: ExperimentFile) -> Plan:
    """Fill in every trial; each repetition goes through all points, so that a run cut short has seen all of them."""
    experiment = file.experiment
    if not experiment.peers:
        raise ExperimentError([Problem(Place(file.path), "peers", "there are none, so there is nothing to plan")])
    rounds = range(1, experiment.repeat + 1)
    return Plan(
        title=experiment.title or file.path.stem,
        question=experiment.question,
        keys=tuple(file.variants[0].point.values),
        pair=experiment.pair,
        seed=experiment.seed,
        repeat=experiment.repeat,
        trials=tuple(_trial(variant, k, file) for k in rounds for variant in file.variants),
        figures=experiment.figures,
        expect=tuple(experiment.expect),
    )


def _trial(variant: Variant, repetition: int, file: ExperimentFile) -> Trial:
    """Fill in one trial. Its seed is made from all swept values but the paired one, and from the repetition."""
    experiment, point = variant.experiment, variant.point.values
    shared = {key: value for key, value in point.items() if key not in file.paired_keys}
    draw_of = _digest([experiment.seed, shared, repetition])
    seed = int(draw_of[:8], 16)
    settings, hosts = _settings(experiment, file), draw_hosts(experiment, Draws(seed, file.columns))
    swarm = _swarm(settings, hosts)
    theory = _theory(settings, swarm)
    bound = theory.client_server if settings.distribution == "client-server" else theory.p2p
    return Trial(
        id=_trial_id(point, repetition, settings, hosts),
        point=point,
        repetition=repetition,
        seed=seed,
        pair=draw_of[:8] if experiment.pair else None,
        settings=settings,
        hosts=hosts,
        theory=theory,
        estimate=estimate(settings.distribution, bound, swarm, settings.time_limit),
    )


def _settings(experiment: Experiment, file: ExperimentFile) -> Settings:
    shared, topology = experiment.file, experiment.topology
    if shared is None:
        raise ValueError("an experiment with peers has a file")
    capture = () if experiment.capture == "none" else experiment.capture
    return Settings(
        distribution=experiment.distribution,
        file_size=shared.size,
        piece_length=shared.piece_length,
        profile=experiment.profile,
        topology=PlannedTopology(reference=topology.reference, parameters=topology.parameters),
        congestion_control=experiment.congestion_control,
        time_limit=experiment.time_limit,
        time_scale=experiment.time_scale,
        capture=("all",) if capture == "all" else tuple(capture),
        trace_level=experiment.trace_level,
        modules=_modules(experiment, file),
    )


def _modules(experiment: Experiment, file: ExperimentFile) -> dict[str, str]:
    used = {reference.partition(":")[0] for _, reference in strategies_in(experiment)}
    return {name: text for name, text in sorted(file.modules.items()) if name in used}


def _swarm(settings: Settings, hosts: TrialHosts) -> Swarm:
    """Return the trial in the theory's words; several servers are one with all their uploads."""
    peers = tuple(
        Downloader(up=peer.up or 0, down=peer.down or inf, held=peer.held, arrival=peer.arrival) for peer in hosts.peers
    )
    return Swarm(8 * settings.file_size, sum(server.up or 0 for server in hosts.servers), peers)


def _theory(settings: Settings, swarm: Swarm) -> Theory:
    return Theory(
        client_server=_bound(client_server_bound, swarm),
        p2p=_bound(p2p_bound, swarm),
        fluid=_streams(swarm) if settings.distribution == "fluid" else None,
        pieces_seconds=chunked_seconds(
            swarm.in_payload(payload_share()), ceil(settings.file_size / settings.piece_length)
        ),
    )


def _streams(swarm: Swarm) -> PlannedFluid:
    rates = fluid_rates(swarm)
    return PlannedFluid(limit=rates.limit, relayed=rates.relayed, direct=rates.direct)


def _bound(of: Callable[[Swarm], Bound], swarm: Swarm) -> PlannedBound:
    bound = of(swarm)
    return PlannedBound(
        seconds=bound.seconds, payload_seconds=of(swarm.in_payload(payload_share())).seconds, limit=bound.limit
    )


def _trial_id(point: Mapping[str, Any], repetition: int, settings: Settings, hosts: TrialHosts) -> str:
    """Name a trial after its values, for people, and after a digest of everything that makes it what it is."""
    digest = _digest([repetition, settings.identity(), hosts.model_dump(mode="json")])
    words = [f"{key.rpartition('.')[2]}-{_word(value)}" for key, value in point.items()]
    return "_".join([*words, f"r{repetition}"])[:80] + f"_{digest[:8]}"


def _word(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return re.sub(r"[^A-Za-z0-9.-]+", "", text)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
