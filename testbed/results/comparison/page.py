"""A comparison as a page: one file that asks for nothing else, with every ratio and its interval drawn to one scale."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from math import exp, isnan, log
from typing import Final

from testbed.experiment.language.cells import readable
from testbed.results.comparison.comparison import Comparison
from testbed.results.comparison.findings import Finding

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE: Final = """
:root { color-scheme: light dark; --line: #8888; --different: #b3400f; --equivalent: #1c6fb5; --undecided: #777; }
@media (prefers-color-scheme: dark) { :root { --different: #ff9a66; --equivalent: #7cc0ff; --undecided: #aaa; } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
caption { text-align: left; font-weight: bold; padding: .5rem 0; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
td.drawn { padding: 0; }
svg { display: block; }
svg .one { stroke: currentColor; } svg .margin { fill: #8883; }
.different { color: var(--different); }
.equivalent { color: var(--equivalent); }
.undecided { color: var(--undecided); }
.fails { font-weight: bold; }
""".strip()
_WIDTH: Final = 260
_HEIGHT: Final = 24
_WIDEST: Final = 4.0
"""A ratio that is further from 1 is drawn at the edge, which the table's numbers put right."""


def page(made: Comparison) -> str:
    """Return a whole page."""
    first, *others = (side.name for side in made.sides)
    title = f"{', '.join(others)} against {first}"
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>\n<main>",
            f"<h1>{escape(title)}</h1>",
            section(made),
            "</main>\n</body>\n</html>\n",
        ]
    )


def section(made: Comparison) -> str:
    """Return the part of a page that tells a comparison."""
    return "\n".join(["<section>", *_conditions(made), *_sides(made), *_tables(made), *_notes(made), "</section>"])


def _conditions(made: Comparison) -> Iterator[str]:
    for judged in made.judged:
        fails = judged.fails(if_undecided=made.request.fails_if_undecided)
        words = "fails" if fails else "passes"
        yield f'<p class="{words}">{words}: <code>{escape(judged.guard.text)}</code></p>'


def _sides(made: Comparison) -> Iterator[str]:
    first, *_ = made.sides
    yield f"<p>{first.letter} is {escape(first.name)}.</p>"
    for side, found in made.differences:
        yield f"<p>{side.letter} is {escape(side.name)}.</p>"
        if found:
            rows = [[escape(each.what), escape(each.first), escape(each.other)] for each in found]
            yield _table(f"What else differs in {side.letter}", ["", first.letter, side.letter], map(_row, rows))


def _tables(made: Comparison) -> Iterator[str]:
    """Yield a table for each measure; all are drawn to one scale."""
    reach = _reach(made.findings, made.request.margin)
    has_groups, has_many = any(each.group for each in made.findings), len(made.sides) > 2
    headings = [
        *made.keys,
        *(["group"] if has_groups else []),
        *(["run"] if has_many else []),
        "trials",
        "ratio",
        "95 % interval",
        f"1/{exp(reach):.2f} to {exp(reach):.2f}",
        "p (Holm)",
        "outcome",
    ]
    for measure, found in groupby(made.findings, key=lambda each: each.measure.name):
        lines = (_line(each, made.request.margin, reach, groups=has_groups, many=has_many) for each in found)
        yield _table(measure, headings, lines)


def _line(each: Finding, margin: float, reach: float, *, groups: bool, many: bool) -> str:
    ratio = each.compared.ratio
    first, other = ratio.counts
    words = [readable(value) for _, value in each.point]
    words += [*([each.group] if groups else []), *([each.other.letter] if many else [])]
    words.append(f"{first} pairs" if ratio.is_paired else f"{first}, {other}")
    low, high = ratio.interval()
    has_ratio = not isnan(ratio.logarithm)
    numbers = [
        f"{ratio.value:.3f}" if has_ratio else "-",
        f"{low:.3f} to {high:.3f}" if ratio.varies else "-",
    ]
    outcome = each.outcome if each.repetitions is None else f"{each.outcome} (~{each.repetitions})"
    return _row(
        [
            *map(escape, words),
            *numbers,
            _drawn(each, margin, reach) if has_ratio else "",
            "-" if isnan(each.p_corrected) else f"{each.p_corrected:.3f}",
            f'<span class="{each.outcome}">{escape(each.compared.why_not or outcome)}</span>',
        ]
    )


def _reach(findings: Sequence[Finding], margin: float) -> float:
    """Return how far from 1 the axis goes, as a logarithm."""
    ends = [end for each in findings if each.compared.ratio.varies for end in each.compared.ratio.interval()]
    farthest = max((abs(log(end)) for end in ends), default=0.0)
    return min(max(farthest, 2 * log(1 + margin)), log(_WIDEST)) * 1.05


def _drawn(each: Finding, margin: float, reach: float) -> str:
    """Draw a ratio with its interval; beside it the table has the same in numbers, so it is hidden from readers."""
    ratio = each.compared.ratio
    low, high = ratio.interval() if ratio.varies else (ratio.value, ratio.value)
    left, right, middle, at = (_x(value, reach) for value in (low, high, ratio.value, 1.0))
    near, far = _x(1 / (1 + margin), reach), _x(1 + margin, reach)
    half = _HEIGHT / 2
    return (
        f'<svg class="{each.outcome}" width="{_WIDTH}" height="{_HEIGHT}" aria-hidden="true">'
        f'<rect class="margin" x="{near:.1f}" y="0" width="{far - near:.1f}" height="{_HEIGHT}"/>'
        f'<line class="one" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{_HEIGHT}"/>'
        f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{half}" y2="{half}" stroke="currentColor" stroke-width="2"/>'
        f'<circle cx="{middle:.1f}" cy="{half}" r="4" fill="currentColor"/></svg>'
    )


def _x(ratio: float, reach: float) -> float:
    share = min(max(log(ratio) / reach, -1.0), 1.0)
    return _WIDTH / 2 * (1 + share)


def _notes(made: Comparison) -> Iterator[str]:
    for name, twin in made.same.items():
        yield f"<p>{escape(name)} is not compared: its ratios are those of {escape(twin)}.</p>"
    for each in made.unmatched:
        point = ", ".join(f"{key} {readable(value)}" for key, value in each.point)
        yield f"<p>Only {each.only.letter} has {escape(point)}.</p>"
    yield (
        f"<p>Ratios are of geometric means, to {made.sides[0].letter}. The shaded margin is"
        f" {made.request.margin * 100:g} %. Intervals are each by itself; p is corrected for {made.tests} tests."
        " Behind an undecided outcome is about how many repetitions would decide.</p>"
    )


def _table(caption: str, headings: Sequence[str], rows: Iterator[str]) -> str:
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "\n".join(rows)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}">\n'
        f"<table><caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _row(cells: Sequence[str]) -> str:
    """Make a row of cells that are markup."""
    return "<tr>" + "".join(_cell(cell) for cell in cells) + "</tr>"


def _cell(text: str) -> str:
    kind = ' class="drawn"' if text.startswith("<svg") else ' class="number"' if text[:1].isdigit() else ""
    return f"<td{kind}>{text}</td>"
