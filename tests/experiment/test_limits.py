"""What cannot be planned or run is refused with the figure that is needed, and the figure that there is."""

import time
from pathlib import Path

import pytest

from testbed.experiment import ExperimentError
from testbed.experiment.plan.doubts import Machine, doubts
from testbed.experiment.plan.refusals import ANY_MACHINE, Resources, refusals, refused_network
from tests.experiment.files import SMALL, planned, written

MIB, GIB = 1 << 20, 1 << 30
QUICK_SECONDS = 10


def refused(folder: Path, text: str) -> str:
    with pytest.raises(ExperimentError) as error:
        written(folder, text)
    return str(error.value)


@pytest.mark.parametrize(
    ("change", "resources", "says"),
    [
        (
            ("count: 4", "count: 998"),
            Resources(memory=4 * GIB),
            "1000 hosts need at least 9.1 GiB of memory (9.3 MiB each), but only 4.0 GiB are available",
        ),
        (
            ("4 MiB", "16 GiB, piece_length: 16 KiB"),
            Resources(memory=4 * GIB),
            "or larger pieces",
        ),
        (
            ("count: 4", "count: 998"),
            Resources(threads=4000),
            "programs on 1000 hosts need 5000 processes and threads, but only 4000 more can start",
        ),
        (
            ("count: 4", "count: 298"),
            Resources(open_files=1024),
            "300 hosts need 1220 open files, but a process may have only 1024 (ulimit -Hn): use fewer hosts, or raise",
        ),
        (
            ("count: 4", "count: 98"),
            Resources(namespaces=64),
            "100 hosts need a network namespace each, but this user may have only 64",
        ),
        (
            ("4 MiB", "1 TiB"),
            Resources(disk=20 * GIB, disk_place="/data"),
            "but only 20.0 GiB are free in /data: use a smaller file, or choose another place with --runs",
        ),
        (
            ("4 MiB}", "1 GiB}\ntime_limit: 24 h\ncapture: {hosts: all, snaplen: full}"),
            Resources(disk=6 * GIB, disk_place="/data"),
            "9.0 GiB of disk (1.0 GiB for the file that is distributed, 8.0 GiB for captures and traces), but only 6.0",
        ),
        (
            ("4 MiB}", "1 GiB}\ntime_limit: 24 h\ntrace_level: full"),
            Resources(memory_files=100 * MIB),
            "traces of every block need at least 150 MiB of files in memory, which may take only 100 MiB",
        ),
    ],
)
def test_what_machine_cannot_hold_is_refused(
    tmp_path: Path, change: tuple[str, str], resources: Resources, says: str
) -> None:
    plan = planned(tmp_path, SMALL.replace(*change))
    (refusal,) = refusals(plan.trials, resources)
    assert says in refusal.text


def test_what_is_not_known_refuses_nothing(tmp_path: Path) -> None:
    plan = planned(tmp_path, SMALL.replace("4 MiB", "1 TiB").replace("count: 4", "count: 5000"))
    assert refusals(plan.trials, ANY_MACHINE) == []


def test_captures_are_limited_by_the_time_limit(tmp_path: Path) -> None:
    """Twice 12 Mbit/s for ten seconds are 30 MB, whatever the size of the file."""
    base = SMALL.replace("4 MiB}", "1 GiB}\ntime_limit: 10 s\ncapture: {hosts: all, snaplen: full}")
    (trial,) = planned(tmp_path, base).trials
    assert trial.needs.kept == 30_000_000


@pytest.mark.parametrize(
    ("hosts", "copies"),
    [
        ("[servers]", 1),
        ("[homes]", 4),
        ("[server, p1]", 2),
        ("all", 8),
        ("none, core: true", 4),
        ("all, core: true", 12),
    ],
)
def test_captures_have_what_their_hosts_send_and_receive(tmp_path: Path, hosts: str, copies: int) -> None:
    (trial,) = planned(tmp_path, SMALL + f"capture: {{hosts: {hosts}, snaplen: full}}\n").trials
    assert trial.needs.kept == copies * 4 * MIB


@pytest.mark.parametrize(
    ("more", "kept"),
    [
        ("", 8 * 4 * MIB * (192 - 66) // 1448),
        (", snaplen: 790", 8 * 4 * MIB // 2),
        (", snaplen: full, size_limit: 2 MiB", 6 * MIB),
        (", snaplen: full, size_limit: 1 MiB, files: 3", 6 * MIB),
        (", snaplen: full, filter: tcp", 0),
    ],
)
def test_captures_take_what_is_kept_of_packets(tmp_path: Path, more: str, kept: int) -> None:
    (trial,) = planned(tmp_path, SMALL + f"capture: {{hosts: all{more}}}\n").trials
    assert trial.needs.kept == kept


@pytest.mark.parametrize(
    ("capture", "megabits", "doubted"),
    [("all", 8, False), ("{core: true}", 45, False), ("{hosts: all, core: true, snaplen: full}", 45, True)],
)
def test_captures_that_may_disturb_are_doubted(tmp_path: Path, capture: str, megabits: int, doubted: bool) -> None:
    """Ten peers."""
    text = SMALL.replace("count: 4, up: 1 Mbit/s, down: 8 Mbit/s", f"count: 10, up: {megabits} Mbit/s")
    plan = planned(tmp_path, text.replace("4 MiB", "1 GiB") + f"capture: {capture}\n")
    assert any("captures take about" in doubt.text for doubt in doubts(plan.trials, Machine())) == doubted


def test_disk_holds_one_file_of_each_size_and_all_captures(tmp_path: Path) -> None:
    sweep = "sweep: {file.size: [1 MiB, 2 MiB], tracker.numwant: [5, 50]}\n"
    more = "repeat: 3\ncapture: {hosts: [homes], snaplen: full}\n" + sweep
    trials = planned(tmp_path, SMALL.replace("4 MiB", "1 MiB") + more).trials
    needed = 3 * MIB + 3 * 2 * (4 + 8) * MIB
    assert refusals(trials, Resources(disk=needed)) == []
    assert len(refusals(trials, Resources(disk=needed - 1))) == 1


def test_network_without_programs_takes_little(tmp_path: Path) -> None:
    assert refused_network(1000, Resources(memory=GIB, open_files=20_000, namespaces=2000)) == ""
    assert refused_network(5000, Resources(memory=GIB)).startswith("5000 hosts need at least 1.6 GiB of memory")
    assert refused_network(5000, Resources(open_files=1024)).startswith("5000 hosts need 20020 open files")


@pytest.mark.parametrize(("repeat", "doubted"), [(200, False), (300, True)])
def test_long_plan_is_doubted_as_a_whole(tmp_path: Path, repeat: int, doubted: bool) -> None:
    plan = planned(tmp_path, SMALL.replace("4 MiB", "100 MiB") + f"repeat: {repeat}\n")
    found = [doubt for doubt in doubts(plan.trials, Machine()) if "all trials together" in doubt.text]
    assert bool(found) == doubted
    assert all(doubt.trials == () for doubt in found)
    assert refusals(plan.trials, ANY_MACHINE) == []


def test_plan_of_more_than_a_year_is_refused(tmp_path: Path) -> None:
    slow = SMALL.replace("4 MiB}", "40 GiB}\ntime_limit: 100 h")
    (refusal,) = refusals(planned(tmp_path, slow + "repeat: 300\n").trials, ANY_MACHINE)
    assert "more than a year: use fewer points or repetitions" in refusal.text


@pytest.mark.parametrize(
    ("change", "more", "says"),
    [
        (
            ("count: 4", "count: 100000000"),
            "",
            "4:11: peers.homes.count: 100000001 hosts are impossible: 198.18.0.0/15 has addresses for 131069, and at",
        ),
        (("", ""), "repeat: 1000000\n", "repeat: 1 point, each 1000000 times, are 1000000 trials: the limit is 10000"),
        (
            ("count: 4", "count: 99"),
            "repeat: 10000\n",
            "repeat: 1 point, each 10000 times, are 10000 trials with 1000000 hosts in all: the limit is 300000",
        ),
        (
            ("", ""),
            "sweep:\n  peers.homes.count: {from: 1, to: 900, step: 1}\n  tracker.numwant: {from: 1, to: 90, step: 1}\n",
            "sweep: has 81000 points: the limit is 10000",
        ),
        (
            ("", ""),
            "sweep:\n  peers.homes.count: [4, 200000]\n",
            "6:26: peers.homes.count: 200001 hosts are impossible",
        ),
    ],
)
def test_what_nobody_can_plan_is_refused_quickly(tmp_path: Path, change: tuple[str, str], more: str, says: str) -> None:
    began = time.monotonic()
    assert says in refused(tmp_path, SMALL.replace(*change) + more)
    assert time.monotonic() - began < QUICK_SECONDS


def test_each_other_client_has_a_copy_of_the_file(tmp_path: Path) -> None:
    plan = planned(
        tmp_path,
        "file: {size: 4 MiB}\nservers: {up: 8 Mbit/s, application: aria2}\n"
        "peers:\n  ours: {count: 3, up: 8 Mbit/s}\n  theirs: {count: 2, up: 8 Mbit/s, application: transmission}\n",
    )
    assert plan.trials[0].needs.copies == 3 * 4 * MIB
    assert refusals(plan.trials, Resources(memory_files=12 * MIB)) == []
    (refused,) = refusals(plan.trials, Resources(memory_files=12 * MIB - 1))
    assert refused.text.startswith("copies of the file, one for each client that is not ours, need at least 12.0 MiB")
