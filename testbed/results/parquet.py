"""Rows written to a Parquet file as they come, so that few of them are in memory."""

from collections.abc import Iterable, Mapping
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, Final

from testbed.results.tables import require_parquet

_ROWS_AT_A_TIME: Final = 50_000


def write_rows(file: Path, columns: Mapping[str, type], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows with these columns; a cell may be None."""
    require_parquet()
    pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    kinds = {float: pyarrow.float64(), int: pyarrow.int64(), str: pyarrow.string()}
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in columns.items()])
    rest = iter(rows)
    with parquet.ParquetWriter(file, schema) as writer:
        while batch := list(islice(rest, _ROWS_AT_A_TIME)):
            writer.write_table(pyarrow.Table.from_pylist(batch, schema=schema))
