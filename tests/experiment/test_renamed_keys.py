"""Files with the keys of the last release mean the same, and mistakes in them are reported at their place."""

from pathlib import Path

import pytest

from testbed.experiment import ExperimentError, make_plan
from tests.experiment.files import SMALL, written

OLD = SMALL.replace("up: 1 Mbit/s", "up: {trace: a.csv}").replace("count: 4", "count: 4, arrival: {trace: a.csv}")
NEW = OLD.replace("trace:", "csv:")


@pytest.fixture(autouse=True)
def table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("up,arrival\n" + "1 Mbit/s,2 s\n" * 4)


def test_old_keys_plan_the_same_trials(tmp_path: Path) -> None:
    old = make_plan(written(tmp_path, f"{OLD}trace: full\n"))
    assert old == make_plan(written(tmp_path, f"{NEW}trace_level: full\n"))
    assert old.trials[0].settings.trace_level == "full"


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (NEW, []),
        (OLD, [(4, "csv"), (4, "csv")]),
        (f"{SMALL}trace: full\n", [(5, "trace_level")]),
        (f"{SMALL}sweep: {{trace: [full, pieces]}}\npair: trace\n", [(5, "trace_level")]),
        (f"{SMALL}sweep: {{zip: {{trace: [full, pieces]}}}}\n", [(5, "trace_level")]),
        (f"{SMALL}sweep: {{peers.homes.up: [{{trace: a.csv}}, 1 Mbit/s]}}\n", [(5, "csv")]),
        (SMALL.replace("homes", "trace"), []),
        (f"{SMALL}figures: {{trace: {{x: N}}}}\n", []),
    ],
)
def test_each_old_key_has_a_hint(tmp_path: Path, text: str, keys: list[tuple[int, str]]) -> None:
    found = written(tmp_path, text)
    assert [(key.line, key.new) for key in found.source.renamed] == keys
    assert len(found.hints) == len(keys)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{SMALL}trace: ful\n", "5:1: trace_level: expected 'summary', 'pieces' or 'full', found 'ful'"),
        (f"{SMALL}trace: full\ntrace_level: full\n", "5:1: trace: unknown key"),
        (OLD.replace("a.csv", "b.csv"), "4:31: peers.homes.arrival.csv: "),
    ],
)
def test_mistake_at_old_key_keeps_its_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ExperimentError) as error:
        written(tmp_path, text)
    assert f"x.yaml:{says}" in str(error.value)
