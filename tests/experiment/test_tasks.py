"""A second task needs only an entry in a dictionary; then its own keys, checks and words are used."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

import pytest
from pydantic import Field, create_model

from testbed.experiment import ExperimentError
from testbed.experiment.plan.doubts import Machine, doubts
from testbed.experiment.schema import experiment
from testbed.experiment.schema.experiment import MODELS, schema_of
from testbed.tasks.distribute.task import DISTRIBUTE
from testbed.tasks.planning import TASKS, TaskName
from testbed.tasks.task import ColumnWords, Task
from testbed.values.findings import Finding
from testbed.values.hosts import AccessLinks, Group
from testbed.values.parts import Part
from testbed.values.quantities import Count
from tests.experiment.files import SMALL, planned, written


class Nodes(AccessLinks):
    count: Count


class FindKeys(Part):
    nodes: Nodes | None = None
    overlay: Literal["flooding", "chord"] = Field(default="chord")


def missing(document: Mapping[str, Any]) -> Iterator[Finding]:
    if "nodes" not in document and "topology" not in document:
        yield Finding(("nodes",), "is required")


FIND: Task[FindKeys] = Task(
    keys=FindKeys,
    outline="`nodes:`",
    group_keys=("nodes",),
    missing=missing,
    check=lambda _keys: iter(()),
    groups=lambda keys: [Group(("nodes",), keys.nodes, keys.nodes.count)] if keys.nodes else [],
    capturable=lambda _keys: ["nodes"],
    host_names=lambda keys: [f"n{k}" for k in range(keys.nodes.count)] if keys.nodes else [],
    modules=lambda _keys: iter(()),
    columns=DISTRIBUTE.columns,
    column_words=lambda points: {"distribution": ColumnWords(frozenset(point.overlay for point in points))},
    refused_theory=lambda model, _points: f"{model}: there is no such bound",
    hosts=DISTRIBUTE.hosts,
    settings=DISTRIBUTE.settings,
    theory=DISTRIBUTE.theory,
    least_time=lambda _settings, _theory: None,
    estimate=DISTRIBUTE.estimate,
    needs=DISTRIBUTE.needs,
    overview=DISTRIBUTE.overview,
    participants="nodes",
)
SEARCH = "task: find\nnodes: {count: 3, up: 1 Mbit/s}\n"


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a second task."""
    model = create_model("Experiment", __base__=(FindKeys, experiment.Experiment), task=(Literal["find"], "find"))
    monkeypatch.setitem(TASKS, "find", FIND)  # type: ignore[misc]
    monkeypatch.setitem(MODELS, "find", model)  # type: ignore[misc]


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ExperimentError) as error:
        written(folder, text)
    (problem,) = error.value.problems
    return f"{problem.place.line}: {problem.key}: {problem.message}"


@pytest.mark.usefixtures("find")
def test_second_task_is_read_with_its_own_keys(tmp_path: Path) -> None:
    found = written(tmp_path, SEARCH)
    assert found.task is FIND
    assert found.has_trials
    assert not written(tmp_path, "task: find\ntopology: {class: star}\n").has_trials


@pytest.mark.usefixtures("find")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("task: find\n", "1: nodes: is required"),
        (f"{SEARCH}overlay: cord\n", "3: overlay: expected 'flooding' or 'chord', found 'cord' (did you mean chord?)"),
        (f"{SEARCH}tracker: {{kind: udp}}\n", "3: tracker: unknown key: the keys here are title, question, task,"),
        (SEARCH.replace("1 Mbit/s", "[1 Mbit/s]"), "2: nodes.up: expected one value for each of 3 hosts, found 1"),
        (f"{SEARCH}capture: [p1]\n", "3: capture.0: unknown name 'p1': write nodes, or the name of a host"),
        (f"{SEARCH}topology: {{class: star, n: 3}}\n", "3: topology.n: is set from `nodes:`: leave it out"),
        (f"{SEARCH}sweep: {{overlay: [chord], nodes.cuont: [3]}}\n", "3: sweep.nodes.cuont: nodes has no key 'cuont'"),
        (f"{SEARCH}expect: [count = 0 where distribution = fluid]\n", "3: expect.0: distribution is never 'fluid'"),
        (f"{SEARCH}figures: {{f: {{x: N, theory: [p2p]}}}}\n", "3: figures.f.theory: p2p: there is no such bound"),
    ],
)
def test_second_task_is_checked_by_its_own_rules(tmp_path: Path, text: str, says: str) -> None:
    assert refusal(tmp_path, text).startswith(says)


@pytest.mark.usefixtures("find")
def test_schema_of_two_tasks_chooses_by_name() -> None:
    schema = schema_of(MODELS)
    assert schema["if"] == {"properties": {"task": {"const": "find"}}, "required": ["task"]}
    assert "overlay" in keys_at(schema, schema["then"])
    assert "overlay" not in keys_at(schema, schema["else"])
    assert "distribution" in keys_at(schema, schema["else"])


def keys_at(schema: Mapping[str, Any], reference: Mapping[str, str]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema["$defs"][reference["$ref"].removeprefix("#/$defs/")]["properties"]
    return found


def test_trial_without_theory_is_not_doubted_for_its_bound(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    short = planned(tmp_path, SMALL.replace("4 MiB", "64 KiB")).trials
    assert any("too short to judge" in doubt.text for doubt in doubts(short, Machine()))
    monkeypatch.setitem(TASKS, "distribute", replace(DISTRIBUTE, least_time=lambda *_: None))  # type: ignore[misc]
    assert doubts(short, Machine()) == []


def test_unknown_task_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, f"{SMALL}task: distrbute\n") == (
        "5: task: expected 'distribute' or 'find', found 'distrbute' (did you mean distribute?)"
    )


def test_task_cannot_be_swept(tmp_path: Path) -> None:
    assert "cannot be swept" in refusal(tmp_path, f"{SMALL}sweep: {{task: [distribute]}}\n")


def test_default_task_is_not_written_to_the_plan(tmp_path: Path) -> None:
    plan = planned(tmp_path, f"{SMALL}task: distribute\n")
    assert plan == planned(tmp_path, SMALL)
    assert plan.trials[0].settings.task == "distribute"
    assert '"task"' not in plan.to_json()


def test_every_task_has_a_name_and_a_model() -> None:
    assert set(get_args(TaskName)) == set(TASKS) == set(MODELS)
