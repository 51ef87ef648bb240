"""The wheel and the source distribution, and the tool that the wheel installs."""

from __future__ import annotations

import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.packaging.conftest import run
from tests.setup.conftest import REPOSITORY

if TYPE_CHECKING:
    from tests.packaging.conftest import Distributions, Installation

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(600)]

PACKAGES = ("contract", "peer", "testbed", "topologies")


def python_files() -> set[str]:
    return {str(path.relative_to(REPOSITORY)) for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py")}


def shipped_experiments() -> set[str]:
    return {path.name for path in (REPOSITORY / "experiments").iterdir() if path.suffix in {".json", ".py", ".yaml"}}


@pytest.fixture(scope="module")
def wheel_files(distributions: Distributions) -> set[str]:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        return set(wheel.namelist())


def test_twine_accepts_both_distributions(distributions: Distributions) -> None:
    checked = run(
        sys.executable, "-m", "twine", "check", "--strict", distributions.source, distributions.wheel, folder=REPOSITORY
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_wheel_holds_every_module(wheel_files: set[str]) -> None:
    assert {name for name in wheel_files if name.endswith(".py") and ".data/" not in name} == python_files()


def test_wheel_holds_no_other_package(wheel_files: set[str]) -> None:
    top = {name.partition("/")[0] for name in wheel_files}
    assert {name for name in top if not name.startswith("testbed-")} == set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_wheel_marks_packages_as_typed(package: str, wheel_files: set[str]) -> None:
    assert f"{package}/py.typed" in wheel_files


def test_wheel_holds_what_draws_the_page(wheel_files: set[str]) -> None:
    assets = (REPOSITORY / "testbed/results/page/assets").rglob("*.*")
    assert {str(path.relative_to(REPOSITORY)) for path in assets} <= wheel_files


def test_wheel_holds_the_delay_box_source(wheel_files: set[str]) -> None:
    assert "testbed/network/delaybox/delaybox.c" in wheel_files


def test_wheel_holds_the_shipped_experiments(wheel_files: set[str]) -> None:
    share = "/data/share/testbed/experiments/"
    assert {name.partition(share)[2] for name in wheel_files if share in name} == shipped_experiments()


def test_source_distribution_holds_licence_and_readme(distributions: Distributions) -> None:
    with tarfile.open(distributions.source) as source:
        files = {name.partition("/")[2] for name in source.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml"} <= files


def test_installed_command_knows_its_version(installation: Installation) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    printed = installation.output("testbed", "--version")
    assert printed.startswith(f"testbed {project['version']} from {installation.prefix}/lib/python")


def test_installed_manual_page_is_where_man_looks(installation: Installation) -> None:
    page = installation.prefix / "share/man/man1/testbed.1"
    assert page.read_bytes() == (REPOSITORY / "docs/testbed.1").read_bytes()


def test_installed_program_knows_the_commit_it_was_built_from(
    installation: Installation, distributions: Distributions
) -> None:
    show = "from testbed.runs.commit import commit_of; print(*commit_of())"
    assert installation.output("python", "-c", show) == f"{distributions.commit} False\n"


@pytest.mark.parametrize("name", ["quickstart", "own-strategy"])
def test_installed_command_checks_a_shipped_experiment(name: str, installation: Installation) -> None:
    path = Path(installation.output("testbed", "experiments", name).strip())
    assert path == installation.prefix / "share/testbed/experiments" / f"{name}.yaml"
    assert "is valid" in installation.output("testbed", "check", name)


def test_installed_command_lists_its_topologies(installation: Installation) -> None:
    shown = installation.output("testbed", "topologies")
    assert [line.split()[0] for line in shown.partition("\n\n")[0].splitlines()] == ["star", "two-isps", "tree"]
    assert "Parameters:" in installation.output("testbed", "topologies", "star")


def test_installed_peer_starts(installation: Installation) -> None:
    assert "usage" in installation.output("python", "-m", "peer", "--help").lower()
