"""`testbed doctor`: text for people, JSON for programs."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.doctor.capacity import (
    Capacity,
    load_capacity,
    machine_key,
    save_capacity,
)
from tests.cli.conftest import Terminal

pytestmark = pytest.mark.kernel

Run = Callable[..., subprocess.CompletedProcess[str]]

SECTIONS = ["kernel", "limits", "tools", "versions"]
KEPT = Capacity({10: 400_000_000, 50: 300_000_000}, "2026-11-21T08:00:00+00:00", machine_key())


def test_findings_have_state_and_advice(testbed: Run) -> None:
    result = testbed("doctor", "--no-capacity")
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert [line for line in lines if line and not line.startswith(" ") and ":" not in line] == SECTIONS
    found = [line.split()[0] for line in lines if line.startswith("  ") and "->" not in line]
    assert set(found[:-1]) <= {"ok", "missing", "small"}
    bad = [number for number, line in enumerate(lines) if line.split()[:1] in (["missing"], ["small"])]
    assert all("-> " in lines[number + 1] for number in bad)
    assert lines[-1] == "  not measured"


def test_json_is_complete(testbed: Run) -> None:
    result = testbed("doctor", "--json", "--no-capacity")
    assert (result.returncode, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert found["capacity"] is None
    assert list(dict.fromkeys(check["section"] for check in found["checks"])) == SECTIONS
    for check in found["checks"]:
        assert check.keys() == {"section", "name", "state", "found", "mend", "required"}
        assert check["state"] in {"ok", "missing", "small"}
    assert {"qdisc htb", "qdisc netem", "link veth", "filter bpf"} <= {check["name"] for check in found["checks"]}


def test_known_capacity_is_not_measured_again(testbed: Run, command: Path) -> None:
    save_capacity(KEPT)
    shown = testbed("doctor").stdout.splitlines()
    assert "    10 hosts     400 Mbit/s   (40.00 Mbit/s each)" in shown
    assert shown[-1].startswith("  measured 2026-11-21T08:00:00+00:00 (stored in ")
    assert json.loads(testbed("doctor", "--json").stdout)["capacity"]["totals"] == {
        "10": 400_000_000,
        "50": 300_000_000,
    }
    assert load_capacity() == KEPT


@pytest.mark.parametrize(("no_color", "has_colours"), [("", True), ("1", False)])
def test_terminal_has_colours_unless_refused(
    on_terminal: Callable[..., Terminal], monkeypatch: pytest.MonkeyPatch, no_color: str, *, has_colours: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    terminal = on_terminal("doctor", "--no-capacity")
    assert ("\033[" in terminal.read_until("not measured")) is has_colours
