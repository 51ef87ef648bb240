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


def test_vagrant_refuses_a_size_that_is_not_a_number(environment: dict[str, str]) -> None:
    assert validate(environment | {"TESTBED_MEMORY": "much"}).returncode != 0
