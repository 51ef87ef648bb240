"""The command has one spelling, and what the README tells a reader to paste works."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from testbed.experiment import read_experiment

REPOSITORY: Final = Path(__file__).parents[1]
README: Final = REPOSITORY / "README.md"
TEXTS: Final = [
    README,
    REPOSITORY / "CONTRIBUTING.md",
    REPOSITORY / "Vagrantfile",
    *sorted(REPOSITORY.glob("docs/**/*.md")),
    *sorted(REPOSITORY.glob("experiments/*.yaml")),
    *sorted(REPOSITORY.glob(".github/**/*.yml")),
]
COMMAND: Final = re.compile(
    r"(?:sudo )?(\S*bin/testbed) (?:run|check|plan|report|runs|open|serve|clean|links|shell|doctor)\b[^`\n]*"
)
FIRST: Final = re.compile(r"sudo bin/testbed run experiments/[a-z-]+\.yaml")
"""The first command in a clone: it makes the link that is the command from then on."""
FIRST_IN: Final = {
    "README.md",
    "docs/index.md",
    "docs/install.md",
    "docs/commands.md",
    "docs/experiments/quickstart.md",
}


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_command_is_spelled_the_same_everywhere(text: Path) -> None:
    """An environment of pip has no link, so there the command has the path of the environment."""
    name = str(text.relative_to(REPOSITORY))
    found = [match[0].strip() for match in COMMAND.finditer(text.read_text()) if match[1] != "venv/bin/testbed"]
    first = [command for command in found if FIRST.fullmatch(command) and name in FIRST_IN]
    assert [command for command in found if command not in first] == [], "write `testbed`"


def test_readme_has_the_two_commands_of_a_fresh_clone() -> None:
    commands = re.findall(r"^    (sudo bin/.*)$", README.read_text().partition("## Two commands")[2], re.MULTILINE)
    assert commands == ["sudo bin/testbed run experiments/quickstart.yaml", "sudo bin/test"]
    assert all((REPOSITORY / command.split()[1]).is_file() for command in commands)


@pytest.mark.kernel
def test_python_in_the_readme_runs_as_pasted(tmp_path: Path) -> None:
    (pasted,) = re.findall(r"^```python\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    file = tmp_path / "ping.py"
    file.write_text(pasted)
    for words in ([str(file)], ["-i"]):
        done = subprocess.run(
            [sys.executable, *words],
            input="" if str(file) in words else pasted,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert "3 packets transmitted, 3 received" in done.stdout
        assert "Error" not in done.stderr


def test_experiment_in_the_readme_is_valid_as_pasted(tmp_path: Path) -> None:
    (pasted,) = re.findall(r"^```yaml\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "mine.yaml").write_text(pasted)
    assert read_experiment(tmp_path / "mine.yaml").has_trials
