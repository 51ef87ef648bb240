"""A comparison in sentences: what came of it, and what is missing in the runs or could not be compared."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from contract.wording import counted, one_or_many
from testbed.experiment.language.points import short, short_names, telling_keys
from testbed.results.comparison.comparison import Comparison
from testbed.results.comparison.findings import Finding
from testbed.results.comparison.guards import Judged, Judgement
from testbed.results.comparison.sides import Point, Side
from testbed.results.page.words import Words, listed
from testbed.tasks.tables import tables_of

_MOST_NAMED: Final = 6
_MOST_TOLD: Final = 3
"""The most differences that the outcome names; the greatest come first."""
_JUDGEMENTS: Final[Mapping[Judgement, str]] = {
    "beyond": "beyond it",
    "lost": "with fewer values than before",
    "kept": "certainly not beyond it",
    "undecided": "undecided",
}


def outcome(made: Comparison) -> str:
    """Return what came of a comparison as one sentence."""
    failing = [each.guard.text for each in made.judged if each.fails(if_undecided=made.request.fails_if_undecided)]
    sentence = _outcomes(made) if made.tests else _nothing(made)
    return f"Fails {listed(failing)}: {sentence}" if failing else f"{sentence[:1].upper()}{sentence[1:]}"


def _nothing(made: Comparison) -> str:
    has_values = any(not each.compared.why_not for each in made.findings)
    lack = "has two repetitions in each run" if has_values else "has values in both runs"
    return f"nothing can be said, as no comparison {lack}."


def _outcomes(made: Comparison) -> str:
    counts = Counter(each.outcome for each in made.findings)
    different, total = counts["different"], counted(len(made.findings), "comparison")
    if not different:
        parts = [f"none of {total} is different"]
    else:
        parts = [f"{different} of {total} {one_or_many(different, 'is', 'are')} different ({_differences(made)})"]
    if equivalent := counts["equivalent"]:
        parts.append(f"{equivalent} {one_or_many(equivalent, 'is', 'are')} equivalent within {_percent(made)}")
    if undecided := counts["undecided"]:
        parts.append(f"{undecided} {one_or_many(undecided, 'is', 'are')} undecided")
    return f"{listed(parts)}."


def _percent(made: Comparison) -> str:
    return f"{made.request.margin * 100:g} %"


def _differences(made: Comparison) -> str:
    """Name the greatest differences, and the interval of the very greatest."""
    found = sorted((each for each in made.findings if each.outcome == "different"), key=_change, reverse=True)
    greatest, *others = (_difference(made, each) for each in found[:_MOST_TOLD])
    ratio = found[0].compared.ratio
    low, high = ratio.interval()
    sure = f", 95 % interval {low:.3f} to {high:.3f}" if ratio.varies else ""
    more = [f"{len(found) - _MOST_TOLD} more"] if len(found) > _MOST_TOLD else []
    return "; ".join([f"{greatest}{sure}", *others, *more])


def _change(finding: Finding) -> float:
    return abs(finding.compared.ratio.logarithm)


def _difference(made: Comparison, each: Finding) -> str:
    words, first = words_of(made), made.sides[0].letter
    keys = telling_keys([dict(finding.point) for finding in made.findings])
    where = words.at(dict(each.point), keys)
    whose = [f" of {each.group}" if each.group else "", f" in {each.other.letter}" if len(made.sides) > 2 else ""]
    label = f"{words.label(each.measure.name)}{''.join(whose)}{where}"
    return f"{label} is {each.compared.ratio.value:.3f} times that of {first}"


def words_of(made: Comparison) -> Words:
    """Return what keys and measures are called."""
    plan = made.sides[0].run.plan
    return Words(plan, tables_of(plan).columns)


def judged_in_words(judged: Judged) -> str:
    """Say what became of a condition at how many points."""
    counts = Counter(judgement for _, judgement in judged.findings)
    told = [f"{counts[judgement]} {words}" for judgement, words in _JUDGEMENTS.items() if counts[judgement]]
    return f"{', '.join(told)}{'; no point has enough repetitions' if judged.is_blind else ''}"


def place_of(made: Comparison, each: Finding) -> str:
    """Name the point of a finding, with its group and run where there are several."""
    words = [
        _named(each.point),
        each.group and f"group {each.group}",
        len(made.sides) > 2 and f"run {each.other.letter}",
    ]
    return ", ".join(word for word in words if word) or each.measure.name


def _named(point: Point) -> str:
    names = short_names([key for key, _ in point])
    return ", ".join(f"{names[key]} {short(value)}" for key, value in point)


def complaints(made: Comparison) -> Iterator[str]:
    """Yield what is wrong or missing in the runs, and what could not be compared."""
    for side in _runs(made.sides):
        yield from map(str, side.damages)
    for side in made.sides:
        yield from _left_out(made, side)
    for letter in (side.letter for side in made.sides):
        only = [_named(each.point) for each in made.unmatched if each.only.letter == letter]
        if only:
            yield f"only {letter} has {_some(list(dict.fromkeys(only)))}: not compared"
    yield from _alone(made)
    yield from _not_compared(made)


def _runs(sides: Sequence[Side]) -> list[Side]:
    """Return a side for each run: those of one run have the same damage."""
    return list({side.run.path: side for side in sides}.values())


def _left_out(made: Comparison, side: Side) -> Iterator[str]:
    if told := side.excluded(with_suspect=made.request.pairing.with_suspect):
        yield f"{side.letter}: of {counted(len(side.trials), 'trial')}, {listed(told)}: excluded"


def _alone(made: Comparison) -> Iterator[str]:
    """Say where one of two runs has more repetitions, or its trials count and their partners do not."""
    first = made.sides[0].letter
    for letter in (side.letter for side in made.sides[1:]):
        found = [each for each in made.findings if each.other.letter == letter]
        uses = [each.compared for each in found if (each.measure, each.group) == (found[0].measure, found[0].group)]
        for count, one, other in (
            (sum(each.of_first.alone for each in uses), first, letter),
            (sum(each.of_other.alone for each in uses), letter, first),
        ):
            if count:
                has = one_or_many(count, "has", "have")
                yield f"{one}: {counted(count, 'trial')} {has} no partner in {other}: not compared, but with --unpaired"


def _not_compared(made: Comparison) -> Iterator[str]:
    """Say where trials ended without a value, and where there is no interval."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for name in dict.fromkeys(each.measure.name for each in made.findings):
        found = [each for each in made.findings if each.measure.name == name]
        if lacking := [each for each in found if each.compared.of_first.without or each.compared.of_other.without]:
            first, other = _without(lacking)
            yield f"{name}: trials without a value are excluded: {first} of A, {other} of the others"
        for why in dict.fromkeys(filter(None, map(_lack, found))):
            places = [place for each in found if _lack(each) == why and (place := place_of(made, each)) != name]
            reasons.setdefault((why, _some(places)), []).append(name)
    for (why, where), names in reasons.items():
        yield f"{_some(names, ', ')}: {why}{f' ({where})' if where else ''}"


def _lack(each: Finding) -> str:
    few = "" if each.compared.ratio.is_repeated else "too few repetitions for an interval"
    return each.compared.why_not or few


def _without(lacking: Sequence[Finding]) -> tuple[int, int]:
    """Count trials without a value; of the first side, each point only once, whatever it is compared with."""
    first = {(each.group, each.point): each.compared.of_first.without for each in lacking}
    return sum(first.values()), sum(each.compared.of_other.without for each in lacking)


def _some(names: Sequence[str], between: str = "; ") -> str:
    more = len(names) - _MOST_NAMED
    return between.join([*names[:_MOST_NAMED], *([f"and {more} more"] if more > 0 else [])])
