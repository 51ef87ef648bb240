"""An experiment file is read once: the plan, the run and the saved copy come from the same text."""

from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.cli.experiment.check import check_experiments, checked_plan
from testbed.cli.experiment.plan import show_plan
from testbed.cli.network.targets import open_target
from testbed.experiment import ExperimentError, read_experiment
from testbed.experiment.file import source

SWARM = "file: {size: 4 MiB}\nservers: {up: 8 Mbit/s}\npeers:\n  homes: {count: 2, up: 1 Mbit/s}\n"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return a list that records each read of an experiment file."""
    opened: list[Path] = []
    read = source._read

    def counted(file: Path, content: bytes | None) -> str:
        opened.append(file)
        return read(file, content)

    monkeypatch.setattr(source, "_read", counted)
    return opened


@pytest.mark.parametrize(
    "command",
    [
        lambda path: check_experiments([path], [], json=False),
        lambda path: show_plan(path, path.parent, ["repeat=2"], json=True),
        lambda path: open_target(str(path), []),
    ],
)
def test_each_command_reads_once(tmp_path: Path, reads: list[Path], command: Callable[[Path], object]) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(SWARM)
    command(file)
    assert reads == [file]


def test_later_edit_changes_neither_plan_nor_text(tmp_path: Path, reads: list[Path]) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(SWARM)
    found = read_experiment(file)
    file.write_text(SWARM.replace("4 MiB", "8 MiB"))
    assert checked_plan(found).trials[0].settings.file_size == 4 << 20
    assert (found.text, reads) == (SWARM, [file])


def test_refused_topology_is_located_in_original_text(tmp_path: Path, reads: list[Path]) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(f"{SWARM}topology: {{class: star, acks: sometimes}}\n")
    found = read_experiment(file)
    file.write_text("# another file by now\n")
    with pytest.raises(ExperimentError, match=r"5:25: topology\.acks"):
        checked_plan(found)
    assert reads == [file]
