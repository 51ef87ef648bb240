"""The manual page, made from the help of the commands:

.venv/bin/python -m testbed.cli.manual > docs/testbed.1     after a change; man docs/testbed.1 shows it
"""

import importlib.metadata
import inspect
import re
from collections.abc import Iterator
from typing import Any, Final

import typer

import testbed.cli

_ENVIRONMENT: Final = {
    "TESTBED_RUNS": "The folder of all run folders, unless --runs names one.",
    "NO_COLOR": "If it is set and not empty, nothing is printed in colour.",
}
_EXAMPLES: Final = {
    "testbed check mine.yaml": "List the errors of an experiment file.",
    "sudo testbed run mine.yaml": "Run an experiment, or resume it after an interruption.",
    "sudo testbed run quickstart --set repeat=1 --only 3": "Run the third trial of a changed experiment.",
    "testbed report quickstart": "Make the tables and figures of its latest run again.",
    "testbed compare mine-20261120T101500Z mine": "Compare its latest run with another.",
    "testbed clean --keep-latest 3 --remove": "Keep the latest three finished runs of each experiment.",
}


def manual() -> str:
    """Return the page, in the language of man(7)."""
    return "".join(f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    group: Any = typer.main.get_command(testbed.cli.app)
    context = _context(group, "testbed")
    summary = str(group.help).strip().rstrip(".")
    yield f'.TH TESTBED 1 "" "testbed {importlib.metadata.version("testbed")}" "User Commands"'
    yield from (".SH NAME", f"testbed \\- {_escaped(summary[0].lower() + summary[1:])}")
    yield from (".SH SYNOPSIS", ".B testbed", _escaped(_usage(group, context)))
    yield from (".SH DESCRIPTION", *_paragraphs(str(group.help)))
    yield from (".SH OPTIONS", *_parameters(group, context))
    yield ".SH COMMANDS"
    yield from _commands(group, context)
    yield from (".SH EXIT STATUS", *_paragraphs(_statuses()))
    yield from (".SH ENVIRONMENT", *_terms(_ENVIRONMENT))
    yield from (".SH EXAMPLES", *_terms(_EXAMPLES))


def _commands(group: Any, context: Any, before: str = "") -> Iterator[str]:
    """Yield each command, and below a command that has others of its own, these."""
    for name, command in group.commands.items():
        yield from _command(f"{before}{name}", command, context)
        if hasattr(command, "commands"):
            yield from _commands(command, context, f"{before}{name} ")


def _command(name: str, command: Any, parent: Any) -> Iterator[str]:
    context = _context(command, name, parent)
    yield f".SS {_escaped(f'{name} {_usage(command, context)}')}"
    yield from _paragraphs(str(command.help))
    yield from _parameters(command, context, but="--help")


def _context(command: Any, name: str, parent: Any = None) -> Any:
    return command.context_class(command, info_name=name, parent=parent, **command.context_settings)


def _usage(command: Any, context: Any) -> str:
    return re.sub("[{}]", "", " ".join(command.collect_usage_pieces(context)))


def _parameters(command: Any, context: Any, but: str = "") -> Iterator[str]:
    """Yield the arguments and options, without the types of arguments."""
    records = [each.get_help_record(context) for each in command.get_params(context) if but not in each.opts]
    yield from _terms(
        {re.sub(r" <[A-Za-z\[\]]+>", "", name): " ".join(text.split()) for name, text in filter(None, records)}
    )


def _terms(meanings: dict[str, str]) -> Iterator[str]:
    for term, meaning in meanings.items():
        yield from (".TP", f".B {_escaped(term)}", _escaped(meaning))


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(inspect.cleandoc(text).split("\n\n")):
        if number:
            yield ".PP"
        yield _escaped(" ".join(paragraph.split()))


def _statuses() -> str:
    """Return what the command line says of its exit status, which is the same for every command."""
    return str(testbed.cli.__doc__).partition("\n\n")[2]


def _escaped(text: str) -> str:
    r"""Keep dashes and apostrophes as they are typed, and no line for a request: one begins with . or '."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq")
    return rf"\&{escaped}" if escaped.startswith(".") else escaped


if __name__ == "__main__":
    print(manual(), end="")
