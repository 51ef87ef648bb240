"""Documents that the documentation site does not check."""

import re
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = sorted(REPOSITORY.glob("*.md"))
WORKFLOWS = sorted([*(REPOSITORY / ".github").rglob("*.yml"), REPOSITORY / ".pre-commit-config.yaml"])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_leads_to_a_file(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text())
    relative = [target for target in targets if "://" not in target]
    assert [target for target in relative if not (document.parent / target).exists()] == []


def test_citation_names_the_version_of_the_package() -> None:
    citation = YAML(typ="safe").load(REPOSITORY / "CITATION.cff")
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_files_are_yaml(file: Path) -> None:
    assert YAML(typ="safe").load(file)
