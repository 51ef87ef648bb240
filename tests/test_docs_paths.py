"""Every file, folder, module, command and option that the documentation names exists."""

import re
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from functools import cache
from importlib import import_module
from io import StringIO
from keyword import iskeyword
from pathlib import Path
from typing import Final

import pytest
from typer import Typer
from typer.testing import CliRunner

from peer.cli.main import COMMANDS, main
from testbed.cli import app

REPOSITORY: Final = Path(__file__).parents[1]
DOCUMENTS: Final = [
    "README.md",
    "CONTRIBUTING.md",
    *(str(p.relative_to(REPOSITORY)) for p in REPOSITORY.glob("docs/**/*.md")),
]
FOLDERS: Final = (
    "testbed",
    "peer",
    "contract",
    "topologies",
    "benchmarks",
    "experiments",
    "docs",
    "tests",
    "bin",
    ".ci",
)

EXAMPLES: Final = {"my.py", "mine.yaml", "my.yaml", "my_client.py", "equal_shares.py"}
"""Files that readers are told to write."""
GENERATED: Final = re.compile(r"(runs|trials|suspect|figures|site|\.work|\.venv)/")
"""Folders that a run or the set-up creates."""
PLACEHOLDER: Final = re.compile(r"[A-Z]{2}|\.\.\.|[*<]")

FILE: Final = re.compile(r"[\w.-]+\.py|[\w./-]+/[\w.-]+\.(?:py|md|yaml|json|csv|c|sh|toml)|[\w./-]+/")
MODULE: Final = re.compile(r"[a-z_]+(?:\.[A-Za-z_]+)+")
SUFFIXES: Final = {"py", "md", "yaml", "json", "csv", "gz", "toml", "lock", "torrent", "jsonl", "cff", "html"}
COMMAND: Final = re.compile(r"(?:sudo )?(?:[\w./-]*/)?(testbed|python -m peer) ([a-z]+)(.*)")


def spans(text: str) -> Iterator[str]:
    """Yield the text in backticks outside code blocks."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(r"`([^`\n]+)`", prose)


def code(text: str) -> Iterator[str]:
    """Yield the text in backticks, and the lines of code blocks."""
    yield from spans(text)
    yield from re.findall(r"^    (\S.*)$", text, re.MULTILINE)
    for block in re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield from block.splitlines()


@cache
def paths() -> frozenset[str]:
    """Return all files and folders, also under the ends of their paths: `engine/session.py`, `session.py`."""
    found = [path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*")]
    found += [*REPOSITORY.iterdir()]
    parts = [path.relative_to(REPOSITORY).parts for path in found]
    return frozenset("/".join(each[start:]) for each in parts for start in range(len(each)))


def is_module(name: str) -> bool:
    """Whether this is a module, also relative to `testbed`, or an attribute of one."""
    for prefix in ("", "testbed."):
        module, attributes = f"{prefix}{name}", ""
        while module:
            if (REPOSITORY / module.replace(".", "/")).is_dir() or (
                REPOSITORY / f"{module.replace('.', '/')}.py"
            ).is_file():
                return not attributes or hasattr(import_module(module), attributes)
            module, _, attributes = module.rpartition(".")
    return False


def is_of_ours(name: str) -> bool:
    """Whether a dotted name begins with a package, and is not the name of a file or of a YAML key."""
    first, *_, last = name.split(".")
    packages = [REPOSITORY / first / "__init__.py", REPOSITORY / "testbed" / first / "__init__.py"]
    return last not in SUFFIXES and not iskeyword(last) and any(file.is_file() for file in packages)


GROUPS = {each.name: each.typer_instance for each in app.registered_groups if each.name}
"""The commands that have commands of their own."""


def commands_of(group: Typer | None) -> set[str]:
    """Return the names of its commands; those of a group without a name stand directly below it."""
    assert group is not None
    own = {each.name or each.callback.__name__ for each in group.registered_commands if each.callback}
    groups = ({each.name} if each.name else commands_of(each.typer_instance) for each in group.registered_groups)
    return own.union(*groups)


@cache
def help_of(program: str, command: str) -> str:
    if program == "testbed":
        return CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "200"}).output
    with redirect_stdout(StringIO()) as output, suppress(SystemExit):
        main([command, "--help"])
    return output.getvalue()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_files_exist(document: str) -> None:
    named = [span for span in spans((REPOSITORY / document).read_text()) if FILE.fullmatch(span)]
    named = [name for name in named if not (PLACEHOLDER.search(name) or GENERATED.match(name) or name in EXAMPLES)]
    assert [name for name in named if name.strip("/") not in paths()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_modules_exist(document: str) -> None:
    named = [span for span in spans((REPOSITORY / document).read_text()) if MODULE.fullmatch(span) and is_of_ours(span)]
    assert [name for name in named if not is_module(name)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_in_commands_exist(document: str) -> None:
    text = "\n".join(code((REPOSITORY / document).read_text()))
    named = re.findall(r"(?<![\w./-])(?:benchmarks|experiments|topologies|testbed|bin)/[\w./-]+\w", text)
    named += [module.replace(".", "/") for module in re.findall(r"-m (benchmarks\.\w+)", text)]
    named = [name for name in named if not PLACEHOLDER.search(name)]
    assert [name for name in named if not {name, f"{name}.py", f"{name}.md"} & paths()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_commands_and_options_exist(document: str) -> None:
    known = {"testbed": commands_of(app)}
    known["python -m peer"] = set(COMMANDS)
    for line in code((REPOSITORY / document).read_text()):
        if match := COMMAND.match(line):
            program, command, rest = match.groups()
            assert command in known[program], line
            if program == "testbed" and command in GROUPS and rest.split():
                inner = rest.split()[0]
                assert inner in commands_of(GROUPS[command]), line
                command = f"{command} {inner}"
            for option in re.findall(r"(?<!\S)--[a-z][a-z0-9-]+", rest):
                assert option in help_of(program, command), line


def test_page_of_commands_lists_every_command() -> None:
    page = (REPOSITORY / "docs" / "commands.md").read_text()
    assert set(re.findall(r"^\| `testbed ([a-z]+)", page, re.MULTILINE)) == commands_of(app)
