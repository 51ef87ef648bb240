"""A source distribution and a wheel built from this clone, and a virtual environment that holds the wheel."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.runs.test_commit import make_repository
from tests.setup.conftest import REPOSITORY, copy_clone

PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", "install")


@dataclass(frozen=True)
class Distributions:
    source: Path
    wheel: Path
    commit: str


@dataclass(frozen=True)
class Installation:
    """A virtual environment that holds the wheel and what it requires, and nothing of the clone."""

    prefix: Path

    def run(self, program: str, *words: object) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in its own folder, from where no module of the clone can be imported."""
        return run(self.prefix / "bin" / program, *words, folder=self.prefix)

    def output(self, program: str, *words: object) -> str:
        """What a program printed that must succeed."""
        done = self.run(program, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout


def run(*words: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in words], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """Built as for a release: the wheel is made from the source distribution, so that this is known to be whole."""
    folder = tmp_path_factory.mktemp("distributions")
    # setuptools writes into the tree that it builds from.
    clone = copy_clone(folder / "clone")
    commit = make_repository(clone)
    built = run(sys.executable, "-m", "build", "--outdir", folder, clone, folder=folder)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    (source,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return Distributions(source, wheel, commit)


@pytest.fixture(scope="session")
def installation(distributions: Distributions, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    prefix = tmp_path_factory.mktemp("installation") / "venv"
    lock = REPOSITORY / "requirements.lock"
    for step in (
        (sys.executable, "-m", "venv", prefix),
        (prefix / "bin" / "python", *PIP, "--constraint", lock, distributions.wheel),
    ):
        done = run(*step, folder=prefix.parent)
        assert done.returncode == 0, done.stderr
    return Installation(prefix)
