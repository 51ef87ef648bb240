"""A trial with namespaces and sockets, and the same in virtual time."""

from pathlib import Path

import pytest

from benchmarks.overlays.scale.measured import differences, pairs_of
from tests.runfolder.runs import write_run
from tests.trial.plans import perform

pytestmark = pytest.mark.kernel

SMALL = """\
task: find
overlay: napster
directory: {up: 10 Mbit/s}
nodes:
  homes: {count: 3, up: 10 Mbit/s}
content: {items: 4, copies: {each: 2}}
queries: {rate: 120 /min, from: 0.5 s, until: 2 s}
time_limit: 20 s
"""


def test_searches_cost_the_same_in_virtual_time(tmp_path: Path) -> None:
    (trial,) = write_run(tmp_path, SMALL).trials
    ended, _ = perform(trial, tmp_path)
    assert ended.verdict != "failed"
    ((emulated, virtual),) = pairs_of(tmp_path, with_suspect=True)
    assert emulated.searches == virtual.searches > 0
    assert (emulated.success, emulated.hops) == (virtual.success, virtual.hops) == (1, 1)
    assert [each.ratio.value for each in differences([(emulated, virtual)])] == pytest.approx([1, 1])
    assert emulated.messages == pytest.approx(emulated.law.messages)
