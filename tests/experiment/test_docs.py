"""docs/experiment.md has every key that the models have, with its default, its choices and its meaning."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
from pydantic import TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from testbed.experiment import load_experiment, read_experiment
from testbed.experiment.language.expressions import names_in, parse_condition, parse_expectation
from testbed.experiment.plan.plan import make_plan
from testbed.experiment.schema.experiment import MODELS, experiment_schema
from testbed.experiment.schema.figures import Figure
from testbed.experiment.schema.keys import fields_of, key_paths
from testbed.network.links.shape import (
    FRAME_BYTES,
    MAX_RATE,
    MIN_RATE,
    SEGMENT_PAYLOAD_BYTES,
    ShapeError,
    check_rate,
)
from testbed.tasks.distribute.schema.keys import HostFailure
from testbed.theory.wire import FRAME_HEADERS, SEGMENT_PAYLOAD
from testbed.values.quantities import LEAST_RATE, LONGEST_DELAY, MOST_RATE, RATE_STEP, refused_rate

MODEL = MODELS["distribute"]
REPOSITORY = Path(__file__).parents[2]
DOCUMENT = (REPOSITORY / "docs" / "experiment.md").read_text()
SHIPPED = sorted((REPOSITORY / "experiments").glob("*.yaml"))

ALIASES = (
    (r"^(servers|peers\.NAME)\.(up|down)\.", "RATES."),
    (r"^(servers|peers\.NAME)\.(?!arrival|departure|start)", "HOSTS."),
    (r"^sweep\.zip\.NAME\.", "VALUES."),
)


def as_documented(path: str) -> str:
    for pattern, alias in ALIASES:
        path = re.sub(pattern, alias, path)
    return path


def documented() -> dict[str, list[str]]:
    """Return the rows of the tables of keys, by key."""
    rows = [line.strip("|").split("|") for line in DOCUMENT.splitlines() if re.match(r"\| `[A-Za-z]", line)]
    return {cells[0].strip(" `"): [cell.strip() for cell in cells] for cells in rows if len(cells) == 4}


FIELDS: dict[str, FieldInfo] = {as_documented(path): field for path, field in key_paths(MODEL)}
FIELDS |= {f"failures.{key}": field for key, field in fields_of(HostFailure).items()}
ROWS = documented()


def test_document_has_exactly_the_keys() -> None:
    assert ROWS.keys() == FIELDS.keys()


@pytest.mark.parametrize("key", sorted(FIELDS))
def test_row_agrees_with_model(key: str) -> None:
    field, (_, possible, default, meaning) = FIELDS[key], ROWS[key]
    assert meaning == field.description
    assert all(f"`{choice}`" in possible for choice in choices(field.annotation))
    if field.is_required():
        assert default.startswith("required") or key in {"HOSTS.count", "topology.class"}
    elif written := re.fullmatch("`(.*)`", default):
        adapter = TypeAdapter(Annotated[field.annotation, *field.metadata, "as a field"])
        truths: dict[str, Any] = {"true": True, "false": False}
        value = int(written[1]) if written[1].isdigit() else truths.get(written[1], written[1])
        assert adapter.validate_python(value) == field.get_default(call_default_factory=True)
    else:
        assert field.default in {None, PydanticUndefined, "", 1}


def choices(annotation: Any) -> list[str]:
    """Return the words that a type takes."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [choice for member in get_args(annotation) for choice in choices(member)]


def test_examples_in_document_are_valid(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    smallest, _, rates, anchors, failures, sweep, expect, of_pairs = examples
    (tmp_path / "speeds.csv").write_text("up\n1 Mbit/s\n")
    for line in rates.splitlines():
        changed = smallest.replace("up: 1 Mbit/s", line)
        (tmp_path / "x.yaml").write_text(changed + sweep + expect)
        written = read_experiment(tmp_path / "x.yaml")
        assert len(written.variants) == (3 * 6 - 1) * 2
        assert len(make_plan(written).trials) == len(written.variants)
    (tmp_path / "x.yaml").write_text(smallest + failures)
    assert [failure.at for failure in read_experiment(tmp_path / "x.yaml").experiment.failures] == [20, 30]
    (tmp_path / "x.yaml").write_text(f"file: {{size: 1 MiB}}\nservers: {{up: 1 Mbit/s}}\n{anchors}")
    homes, riders = read_experiment(tmp_path / "x.yaml").experiment.peers.values()
    assert (homes.down, riders.down, riders.count) == (8_000_000, 8_000_000, 2)
    pairs = "peers: {one: {count: 1, up: 1 Mbit/s}}\nsweep: {peers.one.strategy: [tit-for-tat, swift]}\n"
    (tmp_path / "x.yaml").write_text(f"file: {{size: 1 MiB}}\nservers: {{up: 1 Mbit/s}}\n{pairs}{of_pairs}")
    assert len(read_experiment(tmp_path / "x.yaml").experiment.expect) == 2


def test_examples_of_captures_are_valid(tmp_path: Path) -> None:
    text = (REPOSITORY / "docs" / "captures.md").read_text()
    (example,) = re.findall(r"```yaml\n(capture:.*?)```", text, re.DOTALL)
    for capture in [example, *re.findall(r"^    (capture: .*)$", text, re.MULTILINE)]:
        swarm = "file: {size: 1 MiB}\nservers: {up: 1 Mbit/s}\npeers: {homes: {count: 12, up: 1 Mbit/s}}\n"
        (tmp_path / "x.yaml").write_text(swarm + capture)
        (trial,) = make_plan(read_experiment(tmp_path / "x.yaml")).trials
        assert trial.settings.capture is not None


def test_example_in_readme_is_valid(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL)
    (tmp_path / "mine.yaml").write_text(example)
    plan = make_plan(read_experiment(tmp_path / "mine.yaml"))
    assert len(plan.trials) == 2 * 2 * 3
    assert plan.figures
    assert plan.expect


def test_paired_example_in_results_document_is_valid(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", (REPOSITORY / "docs" / "results.md").read_text(), re.DOTALL)
    groups = "".join(f"  {name}: {{count: 1, up: 1 Mbit/s}}\n" for name in ("others", "clever"))
    (tmp_path / "x.yaml").write_text(f"file: {{size: 4 MiB}}\nservers: {{up: 8 Mbit/s}}\npeers:\n{groups}{example}")
    plan = make_plan(read_experiment(tmp_path / "x.yaml"))
    assert {figure.compared for figure in plan.figures.values()} == {"gain"}
    assert {len(trial.hosts.peers) for trial in plan.trials} == {20}
    assert len(plan.trials) == 2 * len({trial.pair for trial in plan.trials}) == 2 * 4 * 10


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_shipped_experiment_is_valid_and_has_question(file: Path) -> None:
    experiment = load_experiment(file)
    assert experiment.question.endswith("?")
    assert all(parse_expectation(text) for text in experiment.expect)


def test_scaling_has_the_textbook_rates() -> None:
    plan = make_plan(read_experiment(REPOSITORY / "experiments" / "scaling.yaml"))
    for trial in plan.trials:
        up = trial.hosts.peers[0].up or 0
        assert trial.hosts.servers[0].up == 10 * up
        assert (trial.hosts.peers[0].down or 0) >= 10 * up
    largest = max(plan.trials, key=lambda trial: len(trial.hosts.peers))
    hours = 8 * largest.settings.file_size / up
    assert largest.theory.client_server.seconds / hours == pytest.approx(3)
    assert largest.theory.p2p.seconds / hours == pytest.approx(0.75)


def test_json_schema_has_every_key_and_forbids_others() -> None:
    schema = experiment_schema()
    chosen = schema["$defs"][schema["else"]["$ref"].removeprefix("#/$defs/")]
    assert set(chosen["properties"]) == set(MODEL.model_fields)
    assert chosen["additionalProperties"] is False
    assert schema["$defs"]["File"]["properties"]["size"]["type"] == "string"
    assert schema["$defs"]["Start"]["required"] == ["peers", "with"]
    patterns = schema["$defs"]["Servers"]["properties"]["delay"]["pattern"]
    assert re.search(patterns, "20 ms")
    assert not re.search(patterns, "20")


def test_figure_condition_is_parsed_with_the_file() -> None:
    figure = Figure.model_validate({"where": "verdict = valid"})
    assert figure.where is not None
    assert names_in(parse_condition(figure.where)) == ("verdict",)


def test_network_has_the_same_limits() -> None:
    assert (LEAST_RATE, MOST_RATE) == (MIN_RATE, MAX_RATE)
    assert (SEGMENT_PAYLOAD, SEGMENT_PAYLOAD + FRAME_HEADERS) == (SEGMENT_PAYLOAD_BYTES, FRAME_BYTES)
    for rate in (LEAST_RATE - RATE_STEP, LEAST_RATE, LEAST_RATE + 1, LEAST_RATE + RATE_STEP, MOST_RATE, MOST_RATE + 8):
        assert bool(refused_rate(rate)) == is_refused(rate)
    assert LONGEST_DELAY == 60


def is_refused(rate: int) -> bool:
    try:
        check_rate(rate)
    except ShapeError:
        return True
    return False
