"""An experiment file is read, or refused with every problem at its line and column."""

from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.experiment import (
    Experiment,
    ExperimentError,
    Place,
    Problem,
    load_experiment,
    read_experiment,
    refused_parameters,
)
from testbed.experiment.schema.experiment import MODELS

QUICKSTART = Path(__file__).parents[2] / "experiments" / "quickstart.yaml"
Load = Callable[[str | bytes], Experiment]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Return a function that loads a file `x.yaml` with the given content."""
    monkeypatch.chdir(tmp_path)

    def load_content(content: str | bytes) -> Experiment:
        Path("x.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_experiment("x.yaml")

    return load_content


def refusal(load: Load, content: str | bytes) -> list[str]:
    with pytest.raises(ExperimentError) as error:
        load(content)
    assert str(error.value).splitlines() == [str(problem) for problem in error.value.problems]
    return str(error.value).splitlines()


def test_quickstart_compares_two_schemes() -> None:
    written = read_experiment(QUICKSTART)
    assert written.experiment.topology.reference == "star"
    ways = [variant.experiment.distribution for variant in written.variants]
    assert ways == ["client-server", "bittorrent"]


def test_only_the_topology_is_required(load: Load) -> None:
    experiment = load("topology: {class: tree}")
    assert experiment.topology.reference == "tree"
    assert experiment.topology.parameters == {}
    assert (experiment.congestion_control, experiment.title, experiment.question) == ("cubic", "", "")


def test_topology_parameters_stay_as_written(load: Load) -> None:
    written = "topology: {class: star, n: 2, up: [8 Mbit/s, 56 kbit/s], loss: 0.5, flag: true, names: , name: x}"
    assert load(written).topology.parameters == {
        "n": 2,
        "up": ["8 Mbit/s", "56 kbit/s"],
        "loss": 0.5,
        "flag": True,
        "names": None,
        "name": "x",
    }


def test_anchor_can_be_used_twice(load: Load) -> None:
    assert load("topology: {class: star, up: &rate 8 Mbit/s, down: *rate}").topology.parameters["down"] == "8 Mbit/s"


def test_all_problems_are_found_in_file_order(load: Load) -> None:
    content = """\
title: 5
congestion_contrl: bbr
topology:
  clas: star
  up: {rate: 8}
  down:
    - fast
    - [slow]
  3: x
congestion_control: cubik
"""
    own = "and those of your own that begin with x-"
    keys = f"the keys here are {', '.join(MODELS['distribute'].model_fields)}, {own}"
    assert refusal(load, content) == [
        "x.yaml:1:1: title: expected text (in quotes if it looks like a number), found 5",
        f"x.yaml:2:1: congestion_contrl: unknown key (did you mean congestion_control?): {keys}",
        "x.yaml:3:1: topology.class: is required (was 'clas' meant to be this key?)",
        "x.yaml:5:3: topology.up: expected a number, text, or a list of these, found a mapping with rate",
        "x.yaml:6:3: topology.down: expected a number, text, or a list of these, found the list ['fast', ['slow']]",
        "x.yaml:9:3: topology.3: this key is not text: put it in quotes",
        "x.yaml:10:1: congestion_control: expected 'cubic', 'reno' or 'bbr', found 'cubik' (did you mean cubic?)",
    ]


def test_problem_has_place_and_key(load: Load) -> None:
    with pytest.raises(ExperimentError) as error:
        load("topology: {class: star}\ncolour: red")
    (problem,) = error.value.problems
    assert problem.place == Place(Path("x.yaml"), line=2, column=1)
    assert problem.key == "colour"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            "",
            "x.yaml: the file is empty: an experiment has `file:`, `servers:` and `peers:`, or `overlay:` and `nodes:`",
        ),
        (
            "# nothing yet\n",
            "x.yaml: the file is empty: an experiment has `file:`, `servers:` and `peers:`, or `overlay:` and `nodes:`",
        ),
        ("- topology", "x.yaml:1:1: expected a mapping of keys at the top level: an experiment has"),
        ("topology", "x.yaml:1:1: expected a mapping of keys at the top level: an experiment has"),
        (b"\x7fELF\x02\x01\x00", "x.yaml: not a text file: it contains control characters"),
        (b"\xff\xd8\xff\xe0", "x.yaml: not a text file in UTF-8"),
        ("title: x", "x.yaml:1:1: topology: is required"),
        ("topology:\n  class: [", "x.yaml:2:11: not YAML: expected the node content"),
        ("topology: star: 5", "x.yaml:1:15: not YAML: mapping values are not allowed here"),
        (
            "\ttopology: x",
            "x.yaml:1:1: not YAML: found character '\\t'",
        ),
        ("topology:\n\tclass: star", "cannot start any token: indent with spaces, not with tabs"),
        (
            "topology:\n  n:5\n  class: star",
            "x.yaml:3:8: not YAML: mapping values are not allowed here (is a",
        ),
        ("title: a\ntitle: b", "x.yaml:2:1: the key 'title' is written twice: write it once"),
        ("--- {}\n--- {}", "x.yaml:2:1: not YAML: but found another document"),
        ("title: *name", "x.yaml:1:8: not YAML: found undefined alias"),
        ("title: !!int x", "x.yaml: not YAML: invalid literal for int()"),
        ("[" * 5000, "x.yaml: too deeply nested"),
        ("topology: star", "x.yaml:1:1: topology: expected a mapping with `class:` and the topology's parameters"),
        ("topology:", "x.yaml:1:1: topology: expected a mapping with `class:` and the topology's parameters"),
        ("topology: {class: }", "x.yaml:1:12: topology.class: expected text (in quotes if it looks like a number)"),
        ("topology: {class: ''}", "x.yaml:1:12: topology.class: expected text (in quotes if it looks like a number)"),
        (
            "topology: {class: star, n: 2026-01-01}",
            "x.yaml:1:25: topology.n: expected a number, text, or a list of these",
        ),
        ("topology: &t {class: *t}", "x.yaml:1:15: topology.class: expected text"),
        ("topology: {class: star}\n? [1, 2]\n: 3", "this key is not text: put it in quotes"),
        ("base: &b {class: 3}\ntopology: {<<: *b}", "x.yaml:2:1: topology.class: expected text"),
    ],
)
def test_invalid_file_is_refused(load: Load, content: str | bytes, says: str) -> None:
    assert any(says in line for line in refusal(load, content)), refusal(load, content)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"nowhere\.yaml: no such file or directory"):
        load_experiment(tmp_path / "nowhere.yaml")
    with pytest.raises(ExperimentError, match="is a directory"):
        load_experiment(tmp_path)


def test_refused_topology_parameter_has_its_place(tmp_path: Path) -> None:
    file = tmp_path / "network.yaml"
    file.write_text("title: A network\ntopology:\n  class: star\n  up: 8\n")
    error = refused_parameters(read_experiment(file), {"up": "has no unit", "names": "is required"})
    assert error.problems == (
        Problem(Place(file, 4, 3), "topology.up", "has no unit"),
        Problem(Place(file, 2, 1), "topology.names", "is required"),
    )
