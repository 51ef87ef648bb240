"""`python -m peer overlays`: tell which parameters the nodes of overlays have, and what is wrong with some."""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, Final

from peer.overlays.overlay import Overlay
from peer.overlays.reading import DescriptionError, read
from peer.overlays.registry import OverlayError, overlay_named
from peer.process.confinement import read_question
from peer.process.exit_status import ExitStatus, exit_codes

DESCRIPTION: Final = """\
Tell what nodes of overlays accept. Standard input is a JSON object:
  uses   a list of {"overlay", "roles", "parameters"}: an overlay by its name, the roles that its nodes are to have, and
         parameters, each for those of the roles that have it; with "own": {...}, they are those of some of the nodes,
         which have these instead of the others'
"""
EPILOG: Final = (
    "For each, it prints a line of JSON on standard output:\n"
    '  {"number": K, "taken": {ROLE: [NAME, ...]}, "problems": [{"parameter": NAME, "text": ...}, ...]}\n\n'
    + exit_codes(ExitStatus.OK, ExitStatus.USAGE)
)


def add_to(parser: argparse.ArgumentParser) -> None:
    """There are no options."""


def run(_: argparse.Namespace) -> int:
    question = read_question("what overlays to tell of")
    for number, use in enumerate(question["uses"]):
        answer = _answer(use["overlay"], use["roles"], use["parameters"], use.get("own"))
        print(json.dumps({"number": number, **answer}), flush=True)
    return ExitStatus.OK


def _answer(
    name: str, roles: Sequence[str], parameters: Mapping[str, object], own: Mapping[str, object] | None
) -> dict[str, Any]:
    try:
        overlay = overlay_named(name)
    except OverlayError as error:
        return {"taken": {}, "problems": [_problem("", str(error))]}
    known = {role: _names(overlay, role) for role in roles if role in overlay.roles}
    expected = f"expected {' or '.join(overlay.roles)}"
    missing = [_problem("", f"there is no role {role}; {expected}") for role in roles if role not in known]
    taken = {role: [name for name in parameters if name in names] for role, names in known.items()}
    unknown = _unknown(parameters if own is None else own, known)
    problems = [*missing, *unknown, *_refused(overlay, taken, parameters), *_divided(name, overlay, own or {})]
    return {"taken": taken, "problems": problems}


def _names(overlay: Overlay, role: str) -> list[str]:
    return [each.name for each in fields(overlay.roles[role].parameters)]


def _unknown(parameters: Mapping[str, object], known: Mapping[str, Sequence[str]]) -> Iterator[dict[str, str]]:
    """Yield the parameters that no node has."""
    names = sorted({name for each in known.values() for name in each})
    for name in parameters:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            expected = f"the parameters here are {', '.join(names)}" if names else "there are none"
            yield _problem(name, f"unknown parameter{f' (did you mean {near[0]}?)' if near else ''}: {expected}")


def _refused(
    overlay: Overlay, taken: Mapping[str, Sequence[str]], parameters: Mapping[str, object]
) -> Iterator[dict[str, str]]:
    """Yield the values that a role does not accept, each once."""
    said = set()
    for role, names in taken.items():
        try:
            read(overlay.roles[role].parameters, {name: parameters[name] for name in names})
        except DescriptionError as error:
            name, _, text = str(error).partition(": ")
            found = (name, text) if name.partition(".")[0] in parameters else ("", str(error))
            if found not in said:
                said.add(found)
                yield _problem(*found)


def _divided(name: str, overlay: Overlay, own: Mapping[str, object]) -> Iterator[dict[str, str]]:
    """Yield the parameters that some nodes have to themselves, though nodes that differ in them cannot talk."""
    for path in sorted(overlay.common):
        first, _, inner = path.partition(".")
        value = own.get(first)
        if first in own and (not inner or (isinstance(value, Mapping) and inner in value)):
            yield _problem(path, f"all nodes of {name} must have the same: write it below `overlay:` of the experiment")


def _problem(parameter: str, text: str) -> dict[str, str]:
    return {"parameter": parameter, "text": text}
