"""A comparison in lines for the terminal."""

from collections import Counter
from collections.abc import Iterator, Sequence
from math import isnan
from typing import TYPE_CHECKING, Final

from contract.wording import counted
from testbed.cli.terminal.layout import Column, format_table, wrapped
from testbed.cli.terminal.output import decimal
from testbed.experiment.language.points import short, short_names, telling_keys

if TYPE_CHECKING:
    from testbed.results.comparison import Comparison
    from testbed.results.comparison.differences import Difference
    from testbed.results.comparison.findings import Finding
    from testbed.results.comparison.guards import Judged

_MOST_LINES: Final = 200
_MOST_NAMED: Final = 6
_DIGITS: Final = 4


def in_short(made: "Comparison", width: int | None) -> Iterator[str]:
    """Yield what is compared, what it differs in, the ratios as a table, and what follows."""
    for line in _sides(made):
        yield wrapped(line, width, indent=5)
    header, lines = _table(made)
    yield format_table(header, lines[:_MOST_LINES], width)
    if len(lines) > _MOST_LINES:
        yield f"... and {counted(len(lines) - _MOST_LINES, 'more line')}: --csv prints all"
    yield from (wrapped(line, width) for line in _sentences(made))


def _sides(made: "Comparison") -> Iterator[str]:
    for side, found in ((made.sides[0], ()), *made.differences):
        yield f"{side.letter}  {side.name}"
        yield from (f"   {', '.join(names)}: {change}" for names, change in _changes(found))
        if side is not made.sides[0] and not found:
            yield "   nothing else differs, as far as plans and provenance say"


def _changes(found: Sequence["Difference"]) -> list[tuple[list[str], str]]:
    """Tell the same change of the same key once: of a profile, for example, with all hosts that have it."""
    changes: dict[tuple[str, str], list[str]] = {}
    for each in found:
        changes.setdefault((each.what.rpartition(".")[2], f"{each.first} -> {each.other}"), []).append(each.what)
    return [(names, change) for (_, change), names in changes.items()]


def _table(made: "Comparison") -> tuple[list[Column], list[list[str]]]:
    """In a narrow terminal, the means go first, then the numbers of trials, and then p."""
    keys = telling_keys([dict(each.point) for each in made.findings])
    has_many, has_groups = len(made.sides) > 2, any(each.group for each in made.findings)
    header = [
        Column("measure"),
        *([Column("group")] if has_groups else []),
        *([Column("run")] if has_many else []),
        *(Column(name) for name in short_names(keys).values()),
        Column("n", 3),
        Column("A", 4),
        Column("other" if has_many else "B", 4),
        Column("ratio to A" if has_many else "B / A"),
        Column("p", 2),
        Column("outcome"),
        Column("needs", 1),
    ]
    lines = [
        [
            each.measure.name,
            *([each.group] if has_groups else []),
            *([each.other.letter] if has_many else []),
            *(short(dict(each.point)[key]) for key in keys),
            *_cells(each),
        ]
        for each in made.findings
    ]
    return header, lines


def _cells(each: "Finding") -> list[str]:
    found = each.compared
    return [
        found.ratio.sizes,
        decimal(found.first, _DIGITS),
        decimal(found.other, _DIGITS),
        _ratio(each),
        "-" if isnan(each.p_corrected) else _p(each.p_corrected),
        each.outcome,
        each.needs,
    ]


def _ratio(each: "Finding") -> str:
    ratio = each.compared.ratio
    if isnan(ratio.logarithm):
        return "-"
    low, high = (f"{end:.3f}" for end in ratio.interval())
    return f"{ratio.value:.3f} [{low}, {high}]" if ratio.varies else f"{ratio.value:.3f}"


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _sentences(made: "Comparison") -> Iterator[str]:
    for name, twin in made.same.items():
        yield f"{name} is not compared: its ratios are those of {twin}"
    counts = Counter(each.outcome for each in made.findings)
    yield (
        f"{counted(len(made.findings), 'comparison')}: {counts['different']} different,"
        f" {counts['equivalent']} equivalent within {made.request.margin * 100:g} %, {counts['undecided']} undecided"
    )
    yield _method(made)
    yield from (line for judged in made.judged for line in _condition(made, judged))


def _method(made: "Comparison") -> str:
    if not made.tests:
        return "ratios of geometric means, without intervals: these need two repetitions in each run"
    return (
        f"ratios of geometric means with 95 % intervals, each by itself; p of Student's t on logarithms, corrected for"
        f" {counted(made.tests, 'test')} (Holm); needs: about how many repetitions would decide"
    )


def _condition(made: "Comparison", judged: "Judged") -> Iterator[str]:
    from testbed.results.comparison.telling import judged_in_words, place_of

    fails = judged.fails(if_undecided=made.request.fails_if_undecided)
    yield f"{'FAILS' if fails else 'passes'}: --fail-if '{judged.guard.text}': {judged_in_words(judged)}"
    for each in judged.having("beyond", "lost")[:_MOST_NAMED]:
        lost = each in judged.having("lost")
        use = each.compared.of_other
        why = f"{', '.join(use.left_out())} of {counted(use.planned, 'trial')}"
        yield f"  {place_of(made, each)}: {why if lost else _ratio(each)}"
