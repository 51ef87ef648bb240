"""What the doctor checks, and what it reports."""

import os
import re
from pathlib import Path

import pytest

from testbed.doctor import kernel, limits, tools
from testbed.doctor.checks import Check, State, exit_status
from testbed.doctor.kernel import check_kernel
from testbed.doctor.limits import check_limits
from testbed.doctor.tools import check_tools, check_versions
from testbed.network import sandbox
from testbed.runs.commit import UNKNOWN, Commit
from testbed.runs.versions import versions


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
def test_only_missing_requirements_fail(checks: list[Check], status: int) -> None:
    assert exit_status(checks) == status


def test_check_becomes_json_row() -> None:
    assert Check("tools", "ip", "missing", "not found", "install it", required=False).row() == {
        "section": "tools",
        "name": "ip",
        "state": "missing",
        "found": "not found",
        "mend": "install it",
        "required": False,
    }


def test_every_problem_has_advice() -> None:
    found = [*check_limits(), *check_tools(), *check_versions()]
    assert all(check.mend for check in found if check.state != "ok")
    assert len({(check.section, check.name) for check in found}) == len(found)


def test_low_limit_comes_with_command_to_raise_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "read_sysctl", lambda _name: "7")
    found = {check.name: check for check in check_limits()}["fs.file-max"]
    assert (found.state, found.found, found.failed) == ("small", "7, recommended 200000", False)
    assert found.mend.startswith("sudo sysctl -w fs.file-max=200000 ")


def test_limit_unknown_to_kernel_is_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "read_sysctl", lambda _name: None)
    found = {check.name: check for check in check_limits()}
    assert found["fs.file-max"].state == "ok"
    assert found["fs.file-max"].found == "not on this kernel"
    assert found["user namespaces"].state == "missing"


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("user.max_user_namespaces", "0", "none allowed"),
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "restricted by AppArmor"),
        ("kernel.unprivileged_userns_clone", "0", "for root only"),
    ],
)
def test_setting_that_forbids_user_namespaces_is_named(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: str, message: str
) -> None:
    settings = {"user.max_user_namespaces": "1000", "kernel.unprivileged_userns_clone": "1", setting: value}
    monkeypatch.setattr(limits, "read_sysctl", lambda name: settings.get(name, "1000000"))
    found = {check.name: check for check in check_limits()}["user namespaces"]
    assert (found.state, found.found, found.required) == ("missing", message, False)
    assert setting in found.mend


def test_tools_are_found_on_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("xterm", "ip"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tools, "DELAY_BOX", tmp_path / "testbed-delaybox")
    found = {check.name: check for check in check_tools()}
    assert (found["xterm"].state, found["xterm"].found) == ("ok", str(tmp_path / "xterm"))
    assert found["testbed-delaybox"].state == "missing"
    assert "sudo testbed doctor" in found["testbed-delaybox"].mend


def test_missing_tool_names_package_and_purpose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.shutil, "which", lambda *_command, **_options: None)
    found = {check.name: check for check in check_tools()}
    assert found["tcpdump"].mend == "sudo apt-get install tcpdump   (for filters of captures)"
    assert not found["tcpdump"].failed


def test_versions_cover_kernel_and_packages() -> None:
    assert versions()["kernel"] == os.uname().release
    assert {"testbed", "mininet", "pyroute2", "python", "system"} <= versions().keys()
    assert all(re.match(r"\d", versions()[name]) for name in ("testbed", "mininet", "pyroute2", "python"))


def test_commit_is_listed_with_its_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    def listed(commit: Commit) -> Check:
        monkeypatch.setattr(tools, "commit_of", lambda: commit)
        return {check.name: check for check in check_versions()}["commit"]

    assert listed(Commit("abc", dirty=False)).found == "abc"
    assert listed(Commit("abc", dirty=True)).found == "abc, with changes"
    unknown = listed(UNKNOWN)
    assert (unknown.state, unknown.failed) == ("missing", False)


def test_tun_device_that_may_not_be_opened_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    device = tmp_path / "tun"
    monkeypatch.setattr(kernel, "_TUN", device)
    monkeypatch.setattr(kernel.os, "access", lambda *_: False)
    assert f"--device {device}" in kernel._check_tun().mend
    device.touch()
    assert (kernel._check_tun().found, kernel._check_tun().mend[:8]) == ("may not be opened", "sudo chm")


@pytest.mark.kernel
def test_missing_packet_sockets_name_the_capability(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_has_packet_sockets", lambda: False)
    found = {check.name: check for check in check_kernel()}["packet sockets"]
    assert (found.state, found.failed) == ("missing", False)
    assert "--cap-add NET_RAW" in found.mend


@pytest.mark.kernel
def test_this_kernel_has_required_features() -> None:
    found = {check.name: check for check in check_kernel()}
    assert exit_status(list(found.values())) == 0
    for name in ("namespaces", "qdisc htb", "qdisc bfifo", "qdisc tbf", "filter bpf", "link veth", "tcp cubic"):
        assert (found[name].state, found[name].required) == ("ok", True)
    assert all(check.mend for check in found.values() if check.state == "missing")


@pytest.mark.kernel
def test_missing_feature_names_kernel_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "has_qdisc", lambda kind: kind != "htb")
    found = {check.name: check for check in check_kernel()}
    assert found["qdisc htb"].failed
    assert found["qdisc htb"].mend.startswith("needs CONFIG_NET_SCH_HTB for rates: ")
    assert found["qdisc tbf"].state == "ok"


def test_missing_namespaces_are_the_only_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_body: object) -> None:
        raise sandbox.SandboxError("no user namespace here: run with sudo")

    monkeypatch.setattr(kernel.sandbox, "run", refuse)
    (found,) = check_kernel()
    assert (found.name, found.state, found.failed) == ("namespaces", "missing", True)
    assert "run with sudo" in found.found
