"""A comparison as plain values, for JSON, CSV and pages."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from testbed.results.comparison.comparison import Comparison
from testbed.results.comparison.findings import Finding
from testbed.results.comparison.guards import Judged
from testbed.results.comparison.samples import Use
from testbed.results.comparison.sides import Side
from testbed.results.left_out import MISSING

_VERDICTS: Final = ("valid", "suspect", "failed", MISSING)


def as_record(made: Comparison) -> dict[str, Any]:
    """Return all of a comparison."""
    return {
        "sides": [_side(side) for side in made.sides],
        "differences": [
            {"other": side.letter, "what": each.what, "first": each.first, "value": each.other}
            for side, found in made.differences
            for each in found
        ],
        "unmatched": [{"only": each.only.letter, "point": dict(each.point)} for each in made.unmatched],
        "same": dict(made.same),
        "margin": made.request.margin,
        "tests": made.tests,
        "findings": list(rows(made)),
        "conditions": [_condition(each, made) for each in made.judged],
        "fails": made.fails,
    }


def rows(made: Comparison) -> Iterator[dict[str, Any]]:
    """Yield a row for each finding; the swept keys are columns."""
    for each in made.findings:
        yield {**dict(each.point), **_row(each, made.sides[0])}


def _row(finding: Finding, first: Side) -> dict[str, Any]:
    found = finding.compared
    low, high = found.ratio.interval()
    return {
        "measure": finding.measure.name,
        "group": finding.group,
        "first": first.name,
        "other": finding.other.name,
        "paired": found.ratio.is_paired,
        "n_first": found.ratio.counts[0],
        "n_other": found.ratio.counts[1],
        "mean_first": found.first,
        "mean_other": found.other,
        "ratio": found.ratio.value,
        "low": low,
        "high": high,
        "p": finding.p,
        "p_holm": finding.p_corrected,
        "outcome": finding.outcome,
        "repetitions": finding.repetitions,
        "left_out_first": _left_out(found.of_first),
        "left_out_other": _left_out(found.of_other),
        "why_no_ratio": found.why_not,
    }


def _left_out(use: Use) -> str:
    return ", ".join(use.left_out())


def _side(side: Side) -> dict[str, Any]:
    return {
        "letter": side.letter,
        "name": side.name,
        "run": str(side.run.path),
        **counts_of(side),
        "damaged": len(side.damages),
    }


def counts_of(side: Side) -> dict[str, int]:
    """Return how many trials were planned, and how many of them have each verdict."""
    found = Counter(side.verdicts.values())
    return {"planned": len(side.trials), **{verdict: found[verdict] for verdict in _VERDICTS}}


def _condition(judged: Judged, made: Comparison) -> dict[str, Any]:
    places = {id(each): place for place, each in enumerate(made.findings)}
    return {
        "condition": judged.guard.text,
        "fails": judged.fails(if_undecided=made.request.fails_if_undecided),
        "findings": [{"finding": places[id(each)], "judgement": judgement} for each, judgement in judged.findings],
    }
