"""Read an experiment file, and say everything that is wrong with it at once."""

import re
import reprlib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from testbed.experiment.errors import ExperimentError, Problem
from testbed.experiment.schema import Experiment
from testbed.experiment.source import Key, Source, read_source

KEYS = tuple(Experiment.model_fields)
TEXTS = {("title",), ("question",), ("topology", "class")}


def load_experiment(path: Path | str) -> Experiment:
    """Read the experiment in a YAML file; an ExperimentError has all that must be mended in it."""
    source = read_source(Path(path))
    try:
        return Experiment.model_validate(source.document)
    except ValidationError as error:
        raise ExperimentError(_problems(source, error)) from None


def refused_parameters(path: Path | str, reasons: Mapping[str, str]) -> ExperimentError:
    """Return the error for parameters that the topology refused, each at its place in the file."""
    source = read_source(Path(path))
    keys = {name: ("topology", name) for name in reasons}
    return ExperimentError(Problem(source.place(key), ".".join(key), reasons[name]) for name, key in keys.items())


def _problems(source: Source, error: ValidationError) -> list[Problem]:
    """Turn pydantic's findings into problems, in the order of the file; a union's members all find the same one."""
    found = [_problem(source, finding) for finding in error.errors(include_url=False)]
    return sorted(dict.fromkeys(found), key=lambda problem: (problem.place.line, problem.place.column))


def _problem(source: Source, finding: ErrorDetails) -> Problem:
    written = source.known_part(finding["loc"])
    path = finding["loc"] if finding["type"] == "missing" else written
    message = _message(finding, path, source.value(written))
    return Problem(source.place(written), ".".join(map(str, path)), message)


def _message(finding: ErrorDetails, path: tuple[Key, ...], value: object) -> str:
    """Say what is possible instead of `value`, which is the mapping around it where a key is missing."""
    if finding["type"] == "missing":
        return f"is required{_misspelt(str(path[-1]), value)}"
    if finding["type"] == "extra_forbidden":
        return f"is not a key{_did_you_mean(path[-1], KEYS)}: the keys are {', '.join(KEYS)}"
    if finding["type"] == "invalid_key":
        return "is a key that is not text: write it in quotes"
    needed = _needed(finding, path)
    choices = re.findall("'([^']*)'", needed)
    return f"{needed} is needed, not {_shown(value)}{_did_you_mean(value, choices)}"


def _needed(finding: ErrorDetails, path: tuple[Key, ...]) -> str:
    if finding["type"] == "literal_error":
        return str(finding["ctx"]["expected"])
    if finding["type"] == "model_type":
        return "a mapping with `class:` and the topology's parameters"
    return "text (in quotes if it looks like a number)" if path in TEXTS else "a number, a text or a list of such"


def _shown(value: object) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return f"the list {reprlib.repr(list(value))}"
    return repr(value) if isinstance(value, str) else str(value)


def _misspelt(key: str, written: object) -> str:
    close = get_close_matches(key, map(str, written), n=1) if isinstance(written, Mapping) else []
    return f" (is it what {close[0]!r} stands for?)" if close else ""


def _did_you_mean(word: object, known: Iterable[str]) -> str:
    close = get_close_matches(str(word), map(str, known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""
