"""What an experiment expects, held against the tables."""

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from testbed.experiment import Outcome, evaluate
from testbed.experiment.columns import EXPECTED_OF
from testbed.experiment.language.expressions import Expectation, parse_expectation
from testbed.results.tables.tables import Tables

_VERDICT: Final = "verdict"


def outcomes(expectations: Sequence[str], tables: Tables, *, with_suspect: bool) -> list[Outcome]:
    """Hold each expectation against the rows of the coarsest table that has what it names."""
    return [_outcome(parse_expectation(text), tables, with_suspect=with_suspect) for text in expectations]


def _outcome(expectation: Expectation, tables: Tables, *, with_suspect: bool) -> Outcome:
    names = list(expectation.columns)
    table = tables.having(names, EXPECTED_OF)
    if table is None:
        return evaluate([expectation], _rows(tables.trials))[0]
    if not with_suspect and _VERDICT in table and _VERDICT not in names:
        table = table[table[_VERDICT] == "valid"]
    return evaluate([expectation], _rows(table[[*names, *{_VERDICT}.intersection(table).difference(names)]]))[0]


def _rows(table: pd.DataFrame) -> list[Mapping[str, object]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
