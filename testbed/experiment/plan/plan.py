"""The plan of an experiment: all its trials with every value filled in. It uses no kernel and no clock."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from testbed.experiment.file.errors import ExperimentError, Place, Problem
from testbed.experiment.file.load import ExperimentFile, Variant
from testbed.experiment.plan.trials import Trial
from testbed.experiment.schema.captures import planned
from testbed.experiment.schema.experiment import Experiment
from testbed.experiment.schema.figures import Figure
from testbed.tasks.planning import Settings, TrialHosts
from testbed.values.draws import Draws
from testbed.values.records import CommonSettings, PlannedTopology, Record


class Plan(Record):
    """All trials of an experiment in their order, and the figures and expectations for their results."""

    title: str
    question: str
    keys: tuple[str, ...]
    """The swept keys."""
    pair: str | None
    seed: int
    repeat: int
    trials: tuple[Trial, ...]
    figures: dict[str, Figure]
    expect: tuple[str, ...]

    def to_json(self) -> str:
        return self.model_dump_json(indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        return cls.model_validate_json(text)


def make_plan(file: ExperimentFile) -> Plan:
    """Fill in every trial. A repetition covers all points before the next begins, so that a short run has seen all."""
    experiment = file.experiment
    if not file.has_trials:
        raise ExperimentError(
            [Problem(Place(file.path), file.task.group_keys[-1], "there are none, so there are no trials to plan")]
        )
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
    """Fill in one trial. Its seed depends on the repetition and all swept values but the paired ones."""
    experiment, point = variant.experiment, variant.point.values
    shared = {key: value for key, value in point.items() if key not in file.paired_keys}
    draw_of = _digest([experiment.seed, shared, repetition])
    seed = int(draw_of[:8], 16)
    task = file.task
    settings = task.settings(experiment, _common_settings(experiment, _modules_used(experiment, file)))
    hosts = task.hosts(experiment, Draws(seed, file.columns))
    theory = task.theory(settings, hosts)
    return Trial(
        id=_trial_id(point, repetition, settings, hosts),
        point=point,
        repetition=repetition,
        seed=seed,
        pair=draw_of[:8] if experiment.pair else None,
        settings=settings,
        hosts=hosts,
        theory=theory,
        estimate=task.estimate(settings, hosts, theory),
    )


def _common_settings(experiment: Experiment, modules: Mapping[str, str]) -> CommonSettings:
    topology = experiment.topology
    return CommonSettings(
        topology=PlannedTopology(reference=topology.reference, parameters=topology.parameters),
        congestion_control=experiment.congestion_control,
        time_limit=experiment.time_limit,
        time_scale=experiment.time_scale,
        capture=planned(experiment.capture),
        trace_level=experiment.trace_level,
        audit=experiment.audit,
        modules=dict(modules),
    )


def _modules_used(experiment: Experiment, file: ExperimentFile) -> dict[str, str]:
    used = {reference.partition(":")[0] for _, reference in file.task.modules(experiment)}
    return {name: text for name, text in sorted(file.modules.items()) if name in used}


def _trial_id(point: Mapping[str, Any], repetition: int, settings: Settings, hosts: TrialHosts) -> str:
    """Name a trial by its swept values, for readers, and by a digest of everything that defines it."""
    digest = _digest([repetition, settings.identity(), hosts.model_dump(mode="json")])
    words = [f"{key.rpartition('.')[2]}-{_word(value)}" for key, value in point.items()]
    return "_".join([*words, f"r{repetition}"])[:80] + f"_{digest[:8]}"


def _word(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return re.sub(r"[^A-Za-z0-9.-]+", "", text)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
