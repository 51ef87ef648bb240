"""The Vagrantfile."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.setup,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(shutil.which("vagrant") is None, reason="this system has no package of vagrant"),
]

# Vagrant's own view of the clone's folder, also for a provider whose plugin is not installed.
SHOW_FOLDER = """
require "vagrant"
config = Vagrant::Environment.new(cwd: ARGV.fetch(0)).vagrantfile.config
config.vm.get_provider_overrides(ARGV.fetch(1).to_sym).each { |_version, override| override.call(config) }
folder = config.vm.synced_folders.fetch("/vagrant")
puts folder[:type] || "as the provider likes", Array(folder[:rsync__exclude])
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Vagrant validates for a provider that it finds: a VirtualBox that only knows its version."""
    virtualbox = tmp_path / "VBoxManage"
    virtualbox.write_text("#!/bin/sh\necho 7.0.20r163906\n")
    virtualbox.chmod(0o755)
    return os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "VAGRANT_HOME": str(tmp_path / "home")}


def validate(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    # Vagrant writes files beside the one that it reads.
    folder = Path(environment["VAGRANT_HOME"]).parent
    shutil.copy(REPOSITORY / "Vagrantfile", folder)
    return subprocess.run(
        ("vagrant", "validate"), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("box", ["bento/ubuntu-24.04", "debian/bookworm64"])
def test_vagrant_accepts_both_boxes(box: str, environment: dict[str, str]) -> None:
    validated = validate(environment | {"TESTBED_BOX": box})
    assert validated.returncode == 0, validated.stderr
    assert "validated successfully" in validated.stdout


@pytest.mark.parametrize(
    ("box", "provider", "kind"),
    [
        ("bento/ubuntu-24.04", "virtualbox", "as the provider likes"),
        ("bento/ubuntu-24.04", "libvirt", "rsync"),
        ("debian/bookworm64", "virtualbox", "rsync"),
        ("debian/bookworm64", "libvirt", "rsync"),
    ],
)
def test_clone_is_copied_whole_and_never_shared_by_nfs(
    box: str, provider: str, kind: str, environment: dict[str, str]
) -> None:
    folder = Path(environment["VAGRANT_HOME"]).parent
    shutil.copy(REPOSITORY / "Vagrantfile", folder)
    shown = subprocess.run(
        ("ruby", "-e", SHOW_FOLDER, folder, provider),
        env=environment | {"TESTBED_BOX": box},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    first, *excluded = shown.stdout.splitlines()
    assert first == kind
    # Nothing of the clone: neither .git, which knows the commit, nor a package that is called runs.
    assert {*excluded} <= {"/.vagrant/", "/.venv/", "/runs/"}


def test_vagrant_refuses_a_size_that_is_not_a_number(environment: dict[str, str]) -> None:
    assert validate(environment | {"TESTBED_MEMORY": "much"}).returncode != 0
