"""The set-up on a machine that has nothing installed yet."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.setup.conftest import FreshMachine

pytestmark = [pytest.mark.setup, pytest.mark.timeout(1200)]

PROVISION = "/vagrant/bin/provision"
START = ("/vagrant/bin/testbed", "--help")


@pytest.fixture(scope="module")
def provisioned(fresh_machine: FreshMachine) -> subprocess.CompletedProcess[str]:
    return fresh_machine.run(PROVISION)


def test_provisioning_reports_what_it_installs(provisioned: subprocess.CompletedProcess[str]) -> None:
    assert provisioned.returncode == 0, provisioned.stderr
    steps = [line for line in provisioned.stderr.splitlines() if line.startswith("testbed: installing ")]
    assert any("mininet" in step for step in steps)
    assert any("Python packages" in step for step in steps)


def test_provisioned_machine_has_the_command(fresh_machine: FreshMachine, provisioned: object) -> None:
    shown = fresh_machine.run("testbed", "--help")
    assert shown.returncode == 0, shown.stderr
    assert "Usage" in shown.stdout


def test_ordinary_user_may_run_it(fresh_machine: FreshMachine, provisioned: object) -> None:
    shown = fresh_machine.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "testbed", "--help")
    assert shown.returncode == 0, shown.stderr
    assert shown.stderr == ""


def test_provisioning_again_does_nothing(fresh_machine: FreshMachine, provisioned: object) -> None:
    again = fresh_machine.run(PROVISION)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_interrupted_set_up_is_repaired_by_concurrent_starts(fresh_machine: FreshMachine, provisioned: object) -> None:
    interrupted = fresh_machine.start(*START, TESTBED_VENV="/srv/venv")
    assert interrupted.stderr is not None
    seen = next(line for line in interrupted.stderr if "installing Python packages" in line)
    interrupted.kill()
    interrupted.communicate()
    assert seen

    starts = [fresh_machine.start(*START, TESTBED_VENV="/srv/venv") for _ in range(2)]
    outputs = [start.communicate() for start in starts]
    assert [start.returncode for start in starts] == [0, 0], outputs
    assert ["Usage" in shown for shown, _ in outputs] == [True, True]
    assert sum(said.count("installing Python packages") for _, said in outputs) == 1


def test_read_only_clone_is_set_up_elsewhere(fresh_machine: FreshMachine, provisioned: object) -> None:
    read_only = (
        "mount --bind /vagrant /vagrant && mount -o remount,bind,ro /vagrant && exec /vagrant/bin/testbed --help"
    )
    shown = fresh_machine.run("bash", "-c", read_only, TESTBED_VENV="/srv/elsewhere")
    assert shown.returncode == 0, shown.stderr
    assert "Usage" in shown.stdout


def test_first_start_of_a_clone_makes_the_command(fresh_machine: FreshMachine, provisioned: object) -> None:
    """As on a machine that was not provisioned: the command that provisioning made is removed."""
    command, venv = "/usr/local/bin/testbed", "/opt/testbed/venv"
    fresh_machine.run("rm", "-f", command, f"{venv}/command.linked")
    first = fresh_machine.run(START[0], "--version", TESTBED_VENV=venv)
    assert f"made the link {command} -> {START[0]}" in first.stderr
    later = fresh_machine.run("testbed", "--version", TESTBED_VENV=venv)
    assert (later.returncode, later.stderr) == (0, "")
    assert later.stdout.endswith(" from /vagrant\n")
