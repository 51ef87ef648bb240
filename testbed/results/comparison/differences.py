"""What two sides have different besides their results: commit, machine, versions, settings, hosts."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from testbed.experiment import Trial
from testbed.experiment.language.cells import readable
from testbed.results.comparison.sides import Match, Side

_OF_THE_SESSION: Final = frozenset({"started", "ended", "command"})
"""What differs between any two sessions."""
_DRAWN: Final = frozenset({"seed", "name", "group"})
"""What tells hosts apart, and says nothing about what was asked of them."""
_LONGEST: Final = 60
_COMMIT: Final = 12

Values = frozenset[str]
Facts = Mapping[str, Values]
"""By name, all values that occur."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs, in words."""

    what: str
    first: str
    other: str


def differences(first: Side, other: Side, matches: Sequence[Match]) -> Iterator[Difference]:
    """Yield what differs: first what was asked of the trials, then who carried it out, and where."""
    told: list[str] = []
    for facts in (_plan_facts, _trial_facts, _session_facts):
        ours, theirs = (
            facts(first, [match.first for match in matches]),
            facts(other, [match.other for match in matches]),
        )
        for what in dict.fromkeys([*ours, *theirs]):
            before, after = ours.get(what, frozenset()), theirs.get(what, frozenset())
            if before != after and not any(_is_part(what, key) for key in told):
                told.append(what)
                yield Difference(what, _in_words(before), _in_words(after))


def _is_part(what: str, key: str) -> bool:
    return what == key or what.startswith(f"{key}.")


def _plan_facts(side: Side, _: object) -> Facts:
    """Return the swept keys that have one value on this side, and what holds for the plan as a whole."""
    plan = side.run.plan
    fixed = {key: values for key in plan.keys if len(values := side.values_of(key)) == 1}
    whole: dict[str, list[object]] = {"title": [plan.title], "seed": [plan.seed], "repeat": [plan.repeat]}
    return {what: frozenset(map(_text, values)) for what, values in {**fixed, **whole}.items()}


def _trial_facts(_: Side, points: Sequence[Sequence[Trial]]) -> Facts:
    """Return the settings and hosts of the first trial of each point."""
    facts: dict[str, set[str]] = {}
    for trials in points:
        for what, value in _of_trial(trials[0]):
            facts.setdefault(what, set()).add(value)
    return {what: frozenset(values) for what, values in facts.items()}


def _of_trial(trial: Trial) -> Iterator[tuple[str, str]]:
    yield from _leaves("", trial.settings.model_dump(mode="json"))
    counts: dict[str, int] = {}
    for host in trial.hosts.all:
        values = host.model_dump(mode="json")
        whose = f"peers.{values['group']}" if "group" in values else host.name
        counts[whose] = counts.get(whose, 0) + 1
        yield from _leaves(whose, {key: value for key, value in values.items() if key not in _DRAWN})
    yield from ((f"{whose}.count", str(count)) for whose, count in counts.items())


def _session_facts(side: Side, _: object) -> Facts:
    facts: dict[str, set[str]] = {}
    for session in side.sessions:
        for what, value in _of_session(session):
            facts.setdefault(what, set()).add(value)
    return {what: frozenset(values) for what, values in facts.items()}


def _of_session(session: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    known = {key: value for key, value in session.items() if key not in _OF_THE_SESSION}
    commit, dirty = known.pop("commit", None), known.pop("dirty", None)
    yield "commit", f"{str(commit or 'unknown')[:_COMMIT]}{' with changes' if dirty else ''}"
    yield from _leaves("", known)


def _leaves(path: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield each value inside, with the path of its keys."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}" if path else str(key), inner)
    else:
        yield path, _text(value)


def _text(value: object) -> str:
    return readable(value) if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _in_words(values: Iterable[str]) -> str:
    """Name one or two values; of long ones, and of more, only say that they are there."""
    words = sorted(values)
    if not words:
        return "none"
    text = " and ".join(word if word.isprintable() else json.dumps(word) for word in words)
    if len(words) <= 2 and len(text) <= _LONGEST:
        return text
    return f"{len(words)} values" if len(words) > 1 else f"{text[: _LONGEST - 3]}..."
