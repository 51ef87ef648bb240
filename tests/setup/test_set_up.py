"""The decisions of the set-up, and its messages when it fails."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can hide a tool or become another user")


def run(*command: str | Path, **variables: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TESTBED_")}
    return subprocess.run(
        [str(word) for word in command],
        env=environment | {name: str(value) for name, value in variables.items()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def without_headers(*command: str | Path) -> tuple[str | Path, ...]:
    """Hide the C library's headers from one command; other processes do not see the mount."""
    return ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /usr/include && exec "$@"', "sh", *command)


@pytest.fixture
def unknown_system(tmp_path: Path) -> Path:
    os_release = tmp_path / "os-release"
    os_release.write_text('ID=slackware\nVERSION_ID="15.0"\nPRETTY_NAME="Slackware 15.0"\n')
    return os_release


def only_line_of(refused: subprocess.CompletedProcess[str]) -> str:
    assert refused.returncode == 1
    assert refused.stdout == ""
    (line,) = refused.stderr.splitlines()
    return line


@needs_root
def test_unsupported_system_is_refused_in_one_line(unknown_system: Path, readable_copy: Path) -> None:
    start = without_headers(readable_copy / "bin/testbed", "doctor")
    line = only_line_of(run(*start, TESTBED_OS_RELEASE=unknown_system))
    assert line.startswith("testbed: missing: libc6-dev; Slackware 15.0 is not supported")


@needs_root
def test_missing_packages_need_sudo(readable_copy: Path) -> None:
    start = without_headers(*NOBODY, readable_copy / "bin/testbed", "links", "topologies/star.py")
    advice = f"run once with sudo: sudo {readable_copy}/bin/testbed links topologies/star.py"
    assert only_line_of(run(*start)) == f"testbed: missing: libc6-dev; {advice}"


@needs_root
def test_environment_in_another_users_clone_needs_sudo(readable_copy: Path) -> None:
    line = only_line_of(run(*NOBODY, readable_copy / "bin/testbed", "doctor"))
    assert line.endswith(f"run once with sudo: sudo {readable_copy}/bin/testbed doctor")


@needs_root
def test_only_root_provisions(readable_copy: Path) -> None:
    line = only_line_of(run(*NOBODY, readable_copy / "bin/provision"))
    assert line.endswith(f"sudo {readable_copy}/bin/provision")


@needs_root
def test_unreachable_package_index_is_named(unknown_system: Path, readable_copy: Path, tmp_path: Path) -> None:
    start = ("unshare", "--net", readable_copy / "bin/testbed", "doctor")
    plain_pip = {"PIP_RETRIES": "1", "PIP_NO_CACHE_DIR": "1", "PIP_CONFIG_FILE": os.devnull}
    places = {"TESTBED_OS_RELEASE": str(unknown_system), "TESTBED_VENV": f"{tmp_path}/venv", "TMPDIR": str(tmp_path)}
    refused = run(*start, **plain_pip, **places)
    assert refused.returncode == 1
    reason = refused.stderr.splitlines()[-1]
    assert "installing Python packages failed: the package server cannot be reached" in reason
    (log,) = tmp_path.glob("testbed-setup.*.log")
    assert str(log) in reason
    assert "Could not find a version" in log.read_text()


@pytest.mark.parametrize(
    ("file_system", "venv"),
    [
        ("ext2/ext3", "{clone}/.venv"),
        ("btrfs", "{clone}/.venv"),
        ("tmpfs", "{clone}/.venv"),
        ("vboxsf", "/opt/testbed/venv"),
        ("msdos", "/opt/testbed/venv"),
        ("v9fs", "/opt/testbed/venv"),
        ("nfs", "/opt/testbed/venv"),
        ("fuseblk", "/opt/testbed/venv"),
    ],
)
def test_environment_is_never_on_a_synced_folder(
    file_system: str, venv: str, readable_copy: Path, tmp_path: Path
) -> None:
    stat = tmp_path / "stat"
    stat.write_text(f"#!/bin/sh\necho {file_system}\n")
    stat.chmod(0o755)
    choose = f'source {readable_copy}/bin/lib/setup.sh && choose_venv && echo "$venv"'
    chosen = run("bash", "-c", choose, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert chosen.stdout.strip() == venv.format(clone=readable_copy)


def test_scripts_pass_shellcheck() -> None:
    files = (path for name in ("bin", ".ci", "tests") for path in (REPOSITORY / name).rglob("*") if path.is_file())
    scripts = [path for path in files if is_shell_script(path)]
    assert len(scripts) >= 5
    found = subprocess.run(
        ("shellcheck", "--external-sources", *scripts), cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout


def is_shell_script(path: Path) -> bool:
    first_line = path.read_bytes().partition(b"\n")[0]
    return first_line.endswith(b"bash") and first_line.startswith((b"#!", b"# shellcheck shell="))
