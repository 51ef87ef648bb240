"""A comparison as a page that looks and works as that of a run does: one file that asks for nothing else."""

from collections import Counter
from collections.abc import Iterator, Mapping
from math import exp, log
from typing import Any, Final, TypeAlias, get_args

import pandas as pd

from contract.wording import counted
from testbed.experiment.language.points import short_names, telling_keys
from testbed.results.comparison.comparison import Comparison
from testbed.results.comparison.findings import Finding, Outcome
from testbed.results.comparison.records import counts_of
from testbed.results.comparison.sides import Side
from testbed.results.comparison.telling import complaints, judged_in_words, outcome, words_of
from testbed.results.page.contents import OVERVIEW
from testbed.results.page.packing import Parts
from testbed.results.page.sheets import sheet
from testbed.results.page.writing import page as page_of
from testbed.tasks.columns import Column, words

Json: TypeAlias = dict[str, Any]

_WIDEST: Final = 4.0
"""A ratio that is further from 1 is drawn at the edge, which the table's numbers put right."""
_INSTEAD: Final = "`testbed compare` prints the same in a terminal."
_DIGITS: Final = 4
_RATIO_PLACES: Final = 3
_P_PLACES: Final = 4
_LEAST_P: Final = 0.0001
_OF_TRIALS: Final = {
    "run": words("the run's letter"),
    "repetition": Column("", "which of the point's trials it is"),
    "verdict": words("suspect: the machine disturbed it; failed: a program did; missing: it has no result"),
    "reasons": words("why"),
}


def page(made: Comparison) -> str:
    """Return a whole page."""
    first, *others = (side.name for side in made.sides)
    title = f"{', '.join(others)} against {first}"
    parts = Parts()
    parts.require(OVERVIEW, _overview(made, title, parts))
    return page_of(title, outcome(made), parts, entry="comparison/main.js", instead=_INSTEAD)


def _overview(made: Comparison, title: str, parts: Parts) -> Json:
    counts = Counter(each.outcome for each in made.findings)
    return {
        "title": title,
        "experiment": made.sides[0].run.plan.title,
        "outcome": outcome(made),
        "counts": {name: counts[name] for name in get_args(Outcome)},
        "conditions": [
            {
                "text": judged.guard.text,
                "fails": judged.fails(if_undecided=made.request.fails_if_undecided),
                "found": judged_in_words(judged),
            }
            for judged in made.judged
        ],
        "ratios": {"about": _added("comparisons", *_ratios(made), parts), "axis": _axis(made)},
        "method": _method(made),
        "notes": list(_notes(made)),
        "runs": [{"letter": side.letter, "name": side.name, **counts_of(side)} for side in made.sides],
        "differences": [
            {"letter": side.letter, "rows": [[each.what, each.first, each.other] for each in found]}
            for side, found in made.differences
        ],
        "trials": _added("trials", *_trials(made), parts),
        "use": "Suspect ones are compared as well, failed ones never."
        if made.request.pairing.with_suspect
        else "None of them is compared. With `--with-suspect`, suspect ones are.",
    }


def _added(name: str, table: pd.DataFrame, columns: Mapping[str, Column], parts: Parts) -> Json:
    made = sheet(name, table, columns)
    parts.require(f"table-{name}", made.values)
    return made.about | {"part": f"table-{name}"}


def _ratios(made: Comparison) -> tuple[pd.DataFrame, Mapping[str, Column]]:
    """Return a row for each finding. The column `drawn` is the ratio again: it is sorted by it."""
    keys = telling_keys([dict(each.point) for each in made.findings])
    names, said = short_names(keys), words_of(made)
    reach, first = _axis(made)["reach"], made.sides[0]
    columns = {
        "measure": words("what is compared; a column of trials.csv, or of the table of groups"),
        "group": words("the group, where each has a value of its own"),
        "run": words("the run that is compared with A"),
        **{names[key]: Column("", said.label(key)) for key in keys},
        "outcome": words("different, equivalent within the margin, or undecided"),
        "ratio": Column("", f"of geometric means, to {first.letter}"),
        "drawn": Column(f"1/{reach:.3g} to {reach:.3g}", "the ratio and its interval; the margin is shaded"),
        "low": Column("", "the lower end of its 95 % interval"),
        "high": Column("", "the upper end"),
        "p": Column("", f"corrected for all comparisons by Holm's method; {_LEAST_P:g} stands for less, too"),
        "needs": words("about how many repetitions would decide"),
        first.letter: Column("", "the geometric mean of the first run"),
        _other(made): Column("", "the geometric mean of the run that is compared with it"),
        "n": words("pairs of trials, or trials of each run"),
        "left_out": words("planned trials that are not used, and why"),
    }
    rows = [{names[key]: dict(each.point)[key] for key in keys} | _row(each, made) for each in made.findings]
    return pd.DataFrame(rows, columns=list(columns)), columns


def _row(each: Finding, made: Comparison) -> Json:
    found, ratio = each.compared, each.compared.ratio
    low, high = (round(end, _RATIO_PLACES) for end in ratio.interval())
    value = round(ratio.value, _RATIO_PLACES)
    uses = ((made.sides[0], found.of_first), (each.other, found.of_other))
    left_out = [f"{side.letter}: {', '.join(use.left_out())}" for side, use in uses if use.left_out()]
    return {
        "measure": each.measure.name,
        "group": each.group,
        "run": each.other.letter,
        made.sides[0].letter: _rounded(found.first),
        _other(made): _rounded(found.other),
        "ratio": value,
        "low": low,
        "high": high,
        "drawn": value,
        "p": max(round(each.p_corrected, _P_PLACES), _LEAST_P),
        "outcome": each.outcome,
        "needs": each.needs,
        "n": ratio.sizes,
        "left_out": "; ".join([*left_out, *([found.why_not] if found.why_not else [])]),
    }


def _other(made: Comparison) -> str:
    """Return the name of the column of the other means: the letter of their run if there is one only."""
    return made.sides[1].letter if len(made.sides) == 2 else "other"


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _axis(made: Comparison) -> Json:
    """Return how far from 1 the axis goes, up as well as down, and the margin."""
    ends = [end for each in made.findings if each.compared.ratio.varies for end in each.compared.ratio.interval()]
    farthest = max((abs(log(end)) for end in ends), default=0.0)
    margin = made.request.margin
    reach = exp(min(max(farthest, 2 * log(1 + margin)), log(_WIDEST)) * 1.05)
    return {"reach": reach, "margin": margin}


def _method(made: Comparison) -> str:
    margin, tests = f"{made.request.margin * 100:g} %", counted(made.tests, "test")
    return (
        f"Ratios are of geometric means, to {made.sides[0].letter}. The shaded margin is {margin}."
        f" Intervals are each by itself; p is corrected for {tests}."
    )


def _notes(made: Comparison) -> Iterator[str]:
    yield from (f"{name} is not compared: its ratios are those of {twin}" for name, twin in made.same.items())
    yield from complaints(made)


def _trials(made: Comparison) -> tuple[pd.DataFrame, Mapping[str, Column]]:
    """Return a row for each planned trial that is not valid."""
    keys = telling_keys([dict(each.point) for each in made.findings])
    names, said = short_names(keys), words_of(made)
    columns = {"run": _OF_TRIALS["run"], **{names[key]: Column("", said.label(key)) for key in keys}, **_OF_TRIALS}
    rows = [row for side in made.sides for row in _not_valid(side, names)]
    return pd.DataFrame(rows, columns=list(columns)), columns


def _not_valid(side: Side, names: Mapping[str, str]) -> Iterator[Json]:
    reasons = dict(zip(side.tables.trials["trial"], side.tables.trials["reasons"], strict=True))
    for trial, cells in side.cells:
        if (verdict := side.verdicts[trial.id]) != "valid":
            point = {name: cells.get(key, "") for key, name in names.items()}
            about = {"run": side.letter, "repetition": trial.repetition, "verdict": verdict}
            yield point | about | {"reasons": reasons.get(trial.id, "")}
