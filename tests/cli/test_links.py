"""`testbed links`: its output and its exit status."""

import csv
import io
import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.kernel

Run = Callable[..., subprocess.CompletedProcess[str]]

STAR = ("links", "star", "n=2", "up=8 Mbit/s", "down=24 Mbit/s", "--seconds", "0.3", "--alone", "none")


def test_links_within_tolerance_exit_with_0(testbed: Run) -> None:
    result = testbed(*STAR, "--tolerance", "5")
    assert result.returncode == 0
    header, *rows = result.stdout.splitlines()
    assert header.split()[:6] == ["link", "way", "at", "once", "rate", "payload"]
    assert [row.split()[:5] for row in rows[:4]] == [
        ["h1-eth0", "-", "s1-eth1", "up", "4"],
        ["s1-eth1", "-", "h1-eth0", "down", "4"],
        ["h2-eth0", "-", "s1-eth2", "up", "4"],
        ["s1-eth2", "-", "h2-eth0", "down", "4"],
    ]
    assert rows[-1] == "4 of 4 within tolerance (steady rate 5.0%, round trip 2 ms)"
    assert result.stderr.splitlines()[0].startswith("testbed: built 2 hosts and 1 core; each measurement takes 0.3 s")


def test_links_beyond_tolerance_exit_with_1(testbed: Run) -> None:
    result = testbed(*STAR, "--tolerance", "0", "--quiet")
    assert result.returncode == 1
    assert "<- off" in result.stdout
    assert result.stderr == ""


def test_csv_has_row_per_measurement(testbed: Run) -> None:
    result = testbed(
        "links", "star", "n=2", "up=8 Mbit/s", "delay=5 ms", "--seconds", "0.3", "--alone", "none", "--csv"
    )
    *rates, path = csv.DictReader(io.StringIO(result.stdout))
    assert [(row["link"], row["direction"], row["asked_bps"]) for row in rates] == [
        (f"h{k}-eth0 - s1-eth{k}", "up", "8000000") for k in (1, 2)
    ]
    assert all(float(row["wire_ratio"]) == pytest.approx(1, abs=0.1) for row in rates)
    assert (path["path"], path["asked_rtt_ms"], path["link"]) == ("h1 - h2", "20.0", "")
    assert "testbed: " in result.stderr


def test_json_has_every_measurement_and_its_judgement(testbed: Run) -> None:
    words = ("star", "n=2", "up=8 Mbit/s", "loss=100%", "--seconds", "0.3", "--alone", "none", "--quiet")
    result = testbed("links", *words, "--json")
    found = json.loads(result.stdout)
    assert result.returncode == (0 if found["within"] else 1)
    assert [(rate["link"], rate["asked_bps"]) for rate in found["rates"]] == [
        (f"h{k}-eth0 - s1-eth{k}", 8_000_000) for k in (1, 2)
    ]
    (path,) = found["paths"]
    assert (path["rtt_median_ms"], path["lost"], path["within"]) == (None, path["probes"], True), "no probe came back"
    assert "congestion control" in found["settings"]


def test_csv_and_json_exclude_each_other(call: Run) -> None:
    result = call("links", "star", "--csv", "--json")
    assert (result.returncode, result.stdout) == (2, "")
    assert "use only one of them" in result.stderr


def test_one_direction_per_kind_is_measured_alone(testbed: Run) -> None:
    result = testbed("links", "star", "n=2", "up=8Mbit/s", "--seconds", "0.2", "--tolerance", "5")
    assert [row.split("8 Mbit/s")[0].split()[4:] for row in result.stdout.splitlines()[1:4]] == [
        ["1"],
        ["2"],
        ["2"],
    ]


def test_unlimited_topology_has_nothing_to_measure(testbed: Run) -> None:
    result = testbed("links", "star")
    assert result.returncode == 0
    assert result.stdout == "no link of this topology has a rate, a delay or a loss: there is nothing to measure\n"


def test_requested_total_loss_is_within_tolerance(testbed: Run) -> None:
    result = testbed("links", "star", "loss=100%", "--quiet")
    assert result.returncode == 0
    assert "1 of 1 within tolerance" in result.stdout


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_measurement_ends_without_traceback(command: Path, number: signal.Signals, status: int) -> None:
    arguments = [command, *STAR, "--seconds", "600"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        assert "built 2 hosts" in running.stderr.readline()
        running.send_signal(number)
        out, err = running.communicate(timeout=30)
    assert running.returncode == status
    assert out == ""
    assert "Traceback" not in err


def test_own_file_can_be_topology(testbed: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from mininet.topo import Topo\n"
        "class Pair(Topo):\n"
        "    def build(self, rate=8.0):\n"
        "        for name in ('left', 'right'):\n"
        "            self.addLink(self.addHost(name), self.addSwitch('s1'), bw=rate)\n"
    )
    result = testbed("links", tmp_path / "mine.py", "rate=4", "--seconds", "0.2", "--alone", "none", "--csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["asked_bps"] for row in rows] == ["4000000"] * 4
    assert rows[0]["link"] == "left-eth0 - s1-eth1"
