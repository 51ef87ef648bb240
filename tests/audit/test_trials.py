"""The audit of real trials in which not all goes as usual: nothing is unexplained."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.audit.trials import audited, performed

pytestmark = pytest.mark.kernel

HOMES = "{count: 3, up: 8 Mbit/s, down: 32 Mbit/s}"
ODD = "{count: 1, up: 8 Mbit/s, down: 32 Mbit/s, departure: {after: 4 s}, strategy: STRATEGY}"


@pytest.mark.parametrize(
    "strategies",
    [
        ["bittyrant", "swift", "under-report", "super-seeding"],
        ["sybil", "whitewash"],
        ["false-pieces", "polluter", "{class: polluter, claims: own}"],
    ],
    ids=" ".join,
)
def test_nothing_is_unexplained_with_strategies(tmp_path: Path, strategies: list[str]) -> None:
    odd = [f"odd{number}: {ODD.replace('STRATEGY', strategy)}" for number, strategy in enumerate(strategies)]
    found = audited(performed(tmp_path, peers="\n".join([f"homes: {HOMES}", *odd])))
    assert found.disagreements == []
    assert found.counts["block"].agree > 0


@pytest.mark.parametrize("distribution", ["client-server", "fluid"])
def test_other_schemes_agree_on_connections_and_bytes(tmp_path: Path, distribution: str) -> None:
    peers = "homes: {count: 3, up: 8 Mbit/s, down: 32 Mbit/s}"
    found = audited(performed(tmp_path, peers=peers, more=f"distribution: {distribution}\n"))
    assert found.disagreements == []
    assert found.counts["bytes"].agree > 0


@pytest.mark.parametrize("level", ["summary", "pieces"])
def test_less_detailed_traces_are_compared_as_far_as_they_go(tmp_path: Path, level: str) -> None:
    peers = "homes: {count: 3, up: 8 Mbit/s, down: 32 Mbit/s}"
    found = audited(performed(tmp_path, peers=peers, more=f"trace_level: {level}\n"))
    assert found.disagreements == []
    assert found.counts["bytes"].agree > 0
    assert ("request" in found.counts, "piece" in found.counts) == (False, level == "pieces")


def test_trial_audits_itself_whoever_runs_it(as_user: Callable[[Callable[[], Any]], Any]) -> None:
    def body() -> Any:
        with tempfile.TemporaryDirectory() as name:
            folder = performed(
                Path(name), peers="homes: {count: 3, up: 8 Mbit/s, down: 32 Mbit/s}", more="audit: true\n"
            )
            return json.loads((folder / "trial.json").read_text())["audit"]

    found = as_user(body)
    assert (found["failed"], found["disagreements"], found["left_out"]) == ("", 0, {})
    assert found["agree"] > 100
