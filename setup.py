"""Writes the commit into source distributions and wheels. Everything else is said in pyproject.toml."""

from pathlib import Path
from runpy import run_path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

SOURCE = Path(__file__).resolve().parent
commits = run_path(str(SOURCE / "testbed/runs/commit.py"))


class BuildWithCommit(build_py):
    """An editable installation is left alone: it runs the clone, where git knows the commit."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            commits["record"](commits["commit_of"](SOURCE), Path(self.build_lib))


class SourceWithCommit(sdist):
    """A wheel that is built from it takes the commit that it finds there."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        # The new folder would count as a change, because it is inside the clone.
        commit = commits["commit_of"](SOURCE)
        super().make_release_tree(base_dir, files)
        commits["record"](commit, Path(base_dir))


setup(cmdclass={"build_py": BuildWithCommit, "sdist": SourceWithCommit})
