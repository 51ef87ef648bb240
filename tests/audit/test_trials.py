"""The audit of real trials in which not all goes as usual: nothing is unexplained."""

from pathlib import Path

import pytest

from tests.audit.trials import audited, performed

pytestmark = pytest.mark.kernel

STRATEGIES = """
homes: {count: 3, up: 8 Mbit/s, down: 32 Mbit/s}
odd: {count: 2, up: 8 Mbit/s, down: 32 Mbit/s, departure: {after: 4 s}, strategy: STRATEGY}
"""
LIARS = ("polluter", "{class: polluter, claims: own}")


@pytest.mark.parametrize(
    "strategy", ["bittyrant", "false-pieces", *LIARS, "sybil", "whitewash", "swift", "under-report", "super-seeding"]
)
def test_nothing_is_unexplained_with_strategy(tmp_path: Path, strategy: str) -> None:
    found = audited(performed(tmp_path, peers=STRATEGIES.replace("STRATEGY", strategy)))
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
