"""`python -m peer adapters`: find adapters of other clients, and tell what is wrong with each."""

import argparse
from typing import Any, Final

from peer.adapters.adapter import Adapter
from peer.adapters.program import AdapterError
from peer.adapters.registry import program_named
from peer.process.confinement import Confinement, confine, read_question
from peer.process.exit_status import ExitStatus, exit_codes

DESCRIPTION: Final = """\
Find adapters and their clients, as a trial does when it starts them. Standard input is a JSON object:
  adapters     a list of names or module:Class
  folder, seconds, memory, owner
               where modules are, how long each may take, bytes of memory, [user, group] if root is to become them
"""
EPILOG: Final = (
    "For each, it prints two lines of JSON on standard output:\n"
    '  {"adapter": NAME, "state": "begun"}\n'
    '  {"adapter": NAME, "state": "found", "identity": "aria2 1.36.0", "can_use_dht": true, "encryptions": [...]}\n'
    'or "refused", with "problem".\n\n' + exit_codes(ExitStatus.OK, ExitStatus.USAGE)
)


def add_to(parser: argparse.ArgumentParser) -> None:
    """There are no options."""


def run(_: argparse.Namespace) -> int:
    question = read_question("what adapters to find")
    answers = confine(confinement := Confinement.of(question))
    for name in question["adapters"]:
        answers.tell({"adapter": name, "state": "begun"})
        answers.expect_progress(confinement.seconds)
        answers.tell({"adapter": name, **_found(name)})
    answers.end()


def _found(name: str) -> dict[str, Any]:
    """Say which client an adapter is for, and what it can be told to use; or what is wrong with it."""
    try:
        adapter = program_named(name)
        adapter.executable()
        return {
            "state": "found",
            "identity": adapter.identity(),
            "can_use_dht": issubclass(adapter, Adapter) and adapter.can_use_dht,
            "encryptions": list(adapter.encryptions) if issubclass(adapter, Adapter) else [],
        }
    except AdapterError as error:
        problem = str(error)
    except BaseException as error:  # the author's code may raise anything, SystemExit too
        problem = f"{type(error).__name__}: {error}"
    return {"state": "refused", "problem": problem}
