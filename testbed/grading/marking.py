"""The marking of an assignment: a YAML file with the questions, their points, and the expectations that earn them.

An expectation can hold answers: `{name}` stands for what the submitted experiment file says below `x-answers:`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from testbed.experiment.file.errors import ExperimentError, Problem
from testbed.experiment.file.source import Source, read_source
from testbed.values.findings import KeyPath

ANSWERS: Final = "x-answers"
ALWAYS_FREE: Final = ("title", "question", "figures", "expect", "seed")
"""Keys of an experiment file that every submission may change; those of its own (`x-...`) too."""
_ABSENT: Final = object()
_PLACEHOLDER: Final = re.compile(r"{([a-z][a-z0-9_]*)}")
_PLAIN_ANSWER: Final = re.compile(r"[\w.%/+-]+( [\w.%/+-]+)?")
"""A number, a word or a quantity: nothing that would change the expectation around it."""


class AnswerError(Exception):
    """An answer is missing, or is none."""


class Question(BaseModel):
    """What is asked, and what earns its points: all its expectations."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    asks: str
    points: int = Field(ge=1, strict=True)
    expect: tuple[str, ...] = Field(min_length=1)

    def filled(self, answers: Mapping[str, object]) -> list[str]:
        """Return the expectations with the answers in their places; raise AnswerError if one is missing."""
        return [_PLACEHOLDER.sub(lambda found: _answer(found[1], answers), text) for text in self.expect]

    @property
    def needs(self) -> set[str]:
        """The names of the answers that it is about."""
        return {name for text in self.expect for name in _PLACEHOLDER.findall(text)}


def _answer(name: str, answers: Mapping[str, object]) -> str:
    value = answers.get(name)
    parts = value if isinstance(value, list) else [value]
    if value is None or not parts:
        raise AnswerError(f"there is no answer: write {name}: ... below {ANSWERS}:")
    texts = [str(part).strip() for part in parts]
    for text in texts:
        if not _PLAIN_ANSWER.fullmatch(text):
            raise AnswerError(f"{ANSWERS}.{name}: {text!r} is no number, word or quantity")
    return ", ".join(texts)


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    starting_file: str
    may_change: tuple[str, ...] = ()
    pass_points: int = Field(alias="pass", ge=1, strict=True)
    questions: tuple[Question, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _can_be_passed(self) -> "_Keys":
        total = sum(question.points for question in self.questions)
        if self.pass_points > total:
            raise ValueError(f"nobody can have {self.pass_points} points: there are {total}")
        return self


@dataclass(frozen=True)
class Marking:
    """A marking, and the experiment file from which everybody starts."""

    file: Path
    may_change: tuple[str, ...]
    pass_points: int
    questions: tuple[Question, ...]
    start: Source

    @property
    def points(self) -> int:
        """The most that a submission can earn."""
        return sum(question.points for question in self.questions)

    def forbidden_changes(self, submission: Source) -> list[str]:
        """Describe what a submission changes in the starting file and may not change."""
        allowed = (*ALWAYS_FREE, *self.may_change)
        changes = _changes(self.start.plain, submission.plain, ())
        return [text for path, text in changes if not any(_is_below(path, key) for key in allowed)]


def _is_below(path: str, key: str) -> bool:
    return f"{path}.".startswith(f"{key}.")


def read_marking(file: Path) -> Marking:
    """Read a marking and its starting file; an ExperimentError says what to correct, and where."""
    source = read_source(file)
    try:
        keys = _Keys.model_validate(source.plain)
    except ValidationError as error:
        raise ExperimentError(_problems(error, source)) from error
    start = read_source(file.parent / keys.starting_file)
    return Marking(file, keys.may_change, keys.pass_points, keys.questions, start)


def _problems(error: ValidationError, source: Source) -> Iterator[Problem]:
    for details in error.errors(include_url=False):
        path = details["loc"]
        words = {"extra_forbidden": "unknown key", "missing": "is required"}
        found = details["msg"].removeprefix("Value error, ")
        yield Problem(source.place(path), ".".join(map(str, path)), words.get(details["type"], found))


def answers_in(submission: Source) -> Mapping[str, object]:
    """Return what a submission answers; raise ExperimentError if its answers are no mapping."""
    found = submission.own.get(ANSWERS, {})
    if not isinstance(found, Mapping):
        raise ExperimentError([Problem(submission.place((ANSWERS,)), ANSWERS, "expected a mapping, `NAME: answer`")])
    return found


def _changes(before: Any, after: Any, path: KeyPath) -> Iterator[tuple[str, str]]:
    """Yield the path of each difference between two documents, and a sentence about it."""
    name = ".".join(map(str, path))
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            yield from _changes(before.get(key, _ABSENT), after.get(key, _ABSENT), (*path, key))
    elif after is _ABSENT:
        yield name, f"{name} is missing"
    elif before is _ABSENT:
        yield name, f"{name} is new"
    elif before != after:
        yield name, f"{name} is {after}, and was {before}"
