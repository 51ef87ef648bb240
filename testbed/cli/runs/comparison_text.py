"""A comparison in lines for the terminal."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
    from testbed.results.comparison.guards import Judged, Judgement
    from testbed.results.comparison.sides import Point, Side

_MOST_LINES: Final = 200
_MOST_NAMED: Final = 6
_DIGITS: Final = 4
_JUDGEMENTS: "Final[Mapping[Judgement, str]]" = {
    "beyond": "beyond it",
    "lost": "with fewer values than before",
    "kept": "certainly not beyond it",
    "undecided": "undecided",
}


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
        _numbers(each),
        decimal(found.first, _DIGITS),
        decimal(found.other, _DIGITS),
        _ratio(each),
        "-" if isnan(each.p_corrected) else _p(each.p_corrected),
        each.outcome,
        _needs(each),
    ]


def _numbers(each: "Finding") -> str:
    first, other = each.compared.ratio.counts
    return counted(first, "pair") if each.compared.ratio.is_paired else f"{first}, {other}"


def _ratio(each: "Finding") -> str:
    ratio = each.compared.ratio
    if isnan(ratio.logarithm):
        return "-"
    low, high = (f"{end:.3f}" for end in ratio.interval())
    return f"{ratio.value:.3f} [{low}, {high}]" if ratio.varies else f"{ratio.value:.3f}"


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _needs(each: "Finding") -> str:
    if each.outcome != "undecided":
        return ""
    if each.repetitions is None:
        return ">1000" if each.compared.ratio.is_repeated else "more"
    return f"~{each.repetitions}"


def _sentences(made: "Comparison") -> Iterator[str]:
    for name, twin in made.same.items():
        yield f"{name} is not compared: its ratios are those of {twin}"
    counts = Counter(each.outcome for each in made.findings)
    yield (
        f"{counted(len(made.findings), 'comparison')}: {counts['different']} different,"
        f" {counts['equivalent']} equivalent within {made.request.margin * 100:g} %, {counts['undecided']} undecided"
    )
    yield (
        f"ratios of geometric means with 95 % intervals, each by itself; p of Student's t on logarithms, corrected for"
        f" {counted(made.tests, 'test')} (Holm); needs: about how many repetitions would decide"
    )
    yield from (line for judged in made.judged for line in _condition(made, judged))


def _condition(made: "Comparison", judged: "Judged") -> Iterator[str]:
    fails = judged.fails(if_undecided=made.request.fails_if_undecided)
    counts = Counter(judgement for _, judgement in judged.findings)
    told = [f"{counts[judgement]} {words}" for judgement, words in _JUDGEMENTS.items() if counts[judgement]]
    blind = "; no point has enough repetitions" if judged.is_blind else ""
    yield f"{'FAILS' if fails else 'passes'}: --fail-if '{judged.guard.text}': {', '.join(told)}{blind}"
    for each in judged.having("beyond", "lost")[:_MOST_NAMED]:
        lost = each in judged.having("lost")
        why = f"{', '.join(each.compared.of_other.left_out())} of {counted(each.compared.of_other.planned, 'trial')}"
        yield f"  {_place(made, each)}: {why if lost else _ratio(each)}"


def _place(made: "Comparison", each: "Finding") -> str:
    words = [
        _named(each.point),
        each.group and f"group {each.group}",
        len(made.sides) > 2 and f"run {each.other.letter}",
    ]
    return ", ".join(word for word in words if word) or each.measure.name


def _named(point: "Point") -> str:
    names = short_names([key for key, _ in point])
    return ", ".join(f"{names[key]} {short(value)}" for key, value in point)


def complaints(made: "Comparison") -> Iterator[str]:
    """Yield what is wrong or missing in the runs, and what could not be compared."""
    for side in _runs(made.sides):
        yield from map(str, side.damages)
    for side in made.sides:
        yield from _left_out(made, side)
    for letter in (side.letter for side in made.sides):
        only = [_named(each.point) for each in made.unmatched if each.only.letter == letter]
        if only:
            yield f"only {letter} has {_listed(list(dict.fromkeys(only)))}: not compared"
    yield from _not_compared(made)


def _runs(sides: Sequence["Side"]) -> list["Side"]:
    """Return a side for each run: those of one run have the same damage."""
    return list({side.run.path: side for side in sides}.values())


def _left_out(made: "Comparison", side: "Side") -> Iterator[str]:
    verdicts = dict(zip(side.tables.trials["trial"], side.tables.trials["verdict"], strict=True))
    found = Counter(verdicts.get(trial.id, "missing") for trial in side.trials)
    excluded = ["failed", "missing", *([] if made.request.pairing.with_suspect else ["suspect"])]
    told = [f"{found[verdict]} {verdict}" for verdict in excluded if found[verdict]]
    if told:
        yield f"{side.letter}: of {counted(len(side.trials), 'trial')}, {' and '.join(told)}: excluded"


def _not_compared(made: "Comparison") -> Iterator[str]:
    """Say where there is no interval, and where trials ended without a value."""
    for name in dict.fromkeys(each.measure.name for each in made.findings):
        found = [each for each in made.findings if each.measure.name == name]
        if lacking := [each for each in found if each.compared.of_first.without or each.compared.of_other.without]:
            first, other = _without(lacking)
            yield f"{name}: trials without a value are excluded: {first} of A, {other} of the others"
        for why in dict.fromkeys(each.compared.why_not for each in found if each.compared.why_not):
            places = [_place(made, each) for each in found if each.compared.why_not == why]
            yield f"{name}: {why} ({_listed(places)})"
        few = [each for each in found if not (each.compared.why_not or each.compared.ratio.is_repeated)]
        if few:
            yield f"{name}: too few repetitions for an interval ({_listed([_place(made, each) for each in few])})"


def _without(lacking: Sequence["Finding"]) -> tuple[int, int]:
    """Count trials without a value; of the first side, each point only once, whatever it is compared with."""
    first = {(each.group, each.point): each.compared.of_first.without for each in lacking}
    return sum(first.values()), sum(each.compared.of_other.without for each in lacking)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return "; ".join(names[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
