"""Swept values with many parameters, such as overlays, by as few of them as tell these values apart."""

from collections.abc import Iterable, Mapping, Sequence

from testbed.experiment.language.cells import as_cell, flat

Parameters = Mapping[str, object]


def short_forms(values: Iterable[object]) -> dict[object, Parameters]:
    """Return, by the cell of each value that has parameters, its class and what tells it from others of that class.

    Parameters are given by their paths. Of those that vary together, the first one is enough.
    """
    by_cell = {as_cell(value): _parameters(value) for value in values}
    forms = {}
    for cell, own in by_cell.items():
        telling = _telling([each for each in by_cell.values() if each.get("class") == own.get("class")])
        forms[cell] = {path: own[path] for path in ("class", *telling) if path in own}
    return {cell: form for cell, form in forms.items() if str(cell).startswith("{")}


def _parameters(value: object) -> Parameters:
    return dict(flat(value)) if isinstance(value, dict) else {"class": value}


def _telling(alike: Sequence[Parameters]) -> list[str]:
    kept: list[str] = []
    for path in dict.fromkeys(path for each in alike for path in each):
        if _distinct(alike, [*kept, path]) > _distinct(alike, kept):
            kept.append(path)
    return kept


def _distinct(alike: Sequence[Parameters], paths: Sequence[str]) -> int:
    return len({tuple(as_cell(each.get(path)) for path in paths) for each in alike})
