"""What the doctor looks at, and what it says."""

import os
import re
from pathlib import Path

import pytest

from testbed.doctor import kernel, limits, tools
from testbed.doctor.checks import Check, State, exit_status
from testbed.doctor.kernel import check_kernel
from testbed.doctor.limits import check_limits
from testbed.doctor.tools import check_tools, check_versions, versions
from testbed.network import sandbox


def check(state: State, *, required: bool) -> Check:
    return Check("section", "name", state, "found", required=required)


@pytest.mark.parametrize(
    ("checks", "status"),
    [
        ([], 0),
        ([check("ok", required=True), check("small", required=True)], 0),
        ([check("ok", required=True), check("missing", required=False)], 0),
        ([check("ok", required=True), check("missing", required=True)], 1),
    ],
)
def test_only_what_is_required_and_missing_fails(checks: list[Check], status: int) -> None:
    assert exit_status(checks) == status


def test_a_check_is_a_row_for_programs() -> None:
    assert Check("tools", "ip", "missing", "not found", "install it", required=False).row() == {
        "section": "tools",
        "name": "ip",
        "state": "missing",
        "found": "not found",
        "mend": "install it",
        "required": False,
    }


def test_every_finding_that_is_not_ok_says_how_to_mend_it() -> None:
    found = [*check_limits(), *check_tools(), *check_versions()]
    assert all(check.mend for check in found if check.state != "ok")
    assert len({(check.section, check.name) for check in found}) == len(found)


def test_a_limit_that_is_too_low_comes_with_the_command_that_raises_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "read_sysctl", lambda _name: "7")
    found = {check.name: check for check in check_limits()}["fs.file-max"]
    assert (found.state, found.found, found.failed) == ("small", "7, recommended 200000", False)
    assert found.mend.startswith("sudo sysctl -w fs.file-max=200000 ")


def test_a_limit_that_this_kernel_does_not_have_is_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "read_sysctl", lambda _name: None)
    found = {check.name: check for check in check_limits()}
    assert found["fs.file-max"].state == "ok"
    assert found["fs.file-max"].found == "not on this kernel"
    assert found["user namespaces"].state == "missing"


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("user.max_user_namespaces", "0", "none allowed"),
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "restricted by AppArmor"),
        ("kernel.unprivileged_userns_clone", "0", "for root only"),
    ],
)
def test_whatever_forbids_user_namespaces_is_named_and_mendable(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: str, says: str
) -> None:
    settings = {"user.max_user_namespaces": "1000", "kernel.unprivileged_userns_clone": "1", setting: value}
    monkeypatch.setattr(limits, "read_sysctl", lambda name: settings.get(name, "1000000"))
    found = {check.name: check for check in check_limits()}["user namespaces"]
    assert (found.state, found.found, found.required) == ("missing", says, False)
    assert setting in found.mend


def test_a_tool_is_found_on_the_path_or_named_with_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("xterm", "ip"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tools, "DELAY_BOX", tmp_path / "testbed-delaybox")
    found = {check.name: check for check in check_tools()}
    assert (found["xterm"].state, found["xterm"].found) == ("ok", str(tmp_path / "xterm"))
    assert found["testbed-delaybox"].state == "missing"
    assert "sudo bin/testbed doctor" in found["testbed-delaybox"].mend


def test_a_tool_that_is_nowhere_says_what_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.shutil, "which", lambda *_command, **_options: None)
    found = {check.name: check for check in check_tools()}
    assert found["tcpdump"].mend == "sudo apt-get install tcpdump   (for captures)"
    assert not found["tcpdump"].failed


def test_versions_name_what_a_result_was_made_with() -> None:
    assert versions()["kernel"] == os.uname().release
    assert {"testbed", "mininet", "pyroute2", "python", "system"} <= versions().keys()
    assert all(re.match(r"\d", versions()[name]) for name in ("testbed", "mininet", "pyroute2", "python"))


@pytest.mark.kernel
def test_this_kernel_can_do_what_is_required() -> None:
    found = {check.name: check for check in check_kernel()}
    assert exit_status(list(found.values())) == 0
    for name in ("namespaces", "qdisc htb", "qdisc bfifo", "qdisc tbf", "filter bpf", "link veth", "tcp cubic"):
        assert (found[name].state, found[name].required) == ("ok", True)
    assert all(check.mend for check in found.values() if check.state == "missing")


@pytest.mark.kernel
def test_a_kernel_without_a_feature_is_told_the_option_that_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "has_qdisc", lambda kind: kind != "htb")
    found = {check.name: check for check in check_kernel()}
    assert found["qdisc htb"].failed
    assert found["qdisc htb"].mend.startswith("needs CONFIG_NET_SCH_HTB for rates: ")
    assert found["qdisc tbf"].state == "ok"


def test_a_machine_without_namespaces_is_the_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_body: object) -> None:
        raise sandbox.SandboxError("no user namespace here: run with sudo")

    monkeypatch.setattr(kernel.sandbox, "run", refuse)
    (found,) = check_kernel()
    assert (found.name, found.state, found.failed) == ("namespaces", "missing", True)
    assert "run with sudo" in found.found
