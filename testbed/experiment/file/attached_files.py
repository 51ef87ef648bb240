"""Files beside an experiment file: CSV files with rates or arrival times, and modules with custom strategies.

The text of a module becomes a part of the plan. So a run states what was measured even if the module is edited later,
and an edited module makes a new trial. Only the peer can find a module that is installed elsewhere.
"""

import ast
import csv
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

from testbed.values.findings import did_you_mean
from testbed.values.quantities import refused_rate
from testbed.values.units import parse_rate


class CsvError(ValueError):
    """A CSV file cannot be read, or lacks what the experiment asks for."""


def read_column(file: Path, heading: str, parse: Callable[[str], float]) -> tuple[float, ...]:
    """Read the quantities of a column; a CsvError names the file and the line."""
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            return tuple(_cells(csv.DictReader(lines), heading, parse))
    except CsvError as error:
        raise CsvError(f"{file}: {error}") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = (error.strerror or "").lower() if isinstance(error, OSError) else "not a CSV file in UTF-8"
        raise CsvError(f"{file}: {reason or error}") from error


def _cells(rows: "csv.DictReader[str]", heading: str, parse: Callable[[str], float]) -> list[float]:
    headings = rows.fieldnames or []
    if heading not in headings:
        raise CsvError(f"no column {heading!r}{did_you_mean(heading, headings)}: it has {', '.join(headings)}")
    values = []
    for row in rows:
        try:
            values.append(parse(row[heading] or ""))
        except ValueError as error:
            raise CsvError(f"line {rows.line_num}: {error}") from error
    if not values:
        raise CsvError("no rows below the headings")
    return values


def parse_link_rate(text: str) -> int:
    """Read a rate that a link can have."""
    rate = parse_rate(text)
    if refusal := refused_rate(rate):
        raise ValueError(f"expected {refusal}, found {text!r}")
    return rate


class ModuleError(ValueError):
    """A module cannot be read, or lacks what the experiment asks for."""


def read_module(folder: Path, reference: str) -> tuple[str, str] | None:
    """Return the name and text of the module in `module:Class`, if it is in the folder; its code is not run."""
    module, colon, attribute = reference.partition(":")
    if not colon:
        return None
    _check_form(module, attribute)
    file = folder.joinpath(*module.split(".")).with_suffix(".py")
    if not file.exists():
        return None
    text = _text(file)
    offered = _names(_tree(file, text))
    if attribute not in offered and "*" not in offered:
        has = f": it has {', '.join(offered)}" if offered else ": it defines none"
        raise ModuleError(f"{file} has no class or function {attribute!r}{did_you_mean(attribute, offered) or has}")
    return module, text


def _check_form(module: str, attribute: str) -> None:
    """Refuse a path in place of a module's name, and names that Python cannot have."""
    path = PurePath(module)
    if path.suffix == ".py" or len(path.parts) > 1:
        raise ModuleError(f"{module!r} is a path: write the name of the module alone, as in {path.stem}:{attribute}")
    if not all(part.isidentifier() for part in module.split(".")) or not attribute.isidentifier():
        written = f"{module}:{attribute}"
        raise ModuleError(f"{written!r} is not of the form module:Class, such as my_client:Clever")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or "").lower() if isinstance(error, OSError) else "not a text file in UTF-8"
        raise ModuleError(f"{file}: {reason}") from error


def _tree(file: Path, text: str) -> ast.Module:
    if "\0" in text:  # which Python 3.11 and 3.12 refuse differently, and without a line
        raise ModuleError(f"{file}: not Python: it contains NUL bytes")
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise ModuleError(f"{file}:{error.lineno}: not Python: {error.msg}") from error
    except (RecursionError, MemoryError) as error:
        raise ModuleError(f"{file}: not Python that can be read: too deeply nested") from error


def _names(tree: ast.Module) -> list[str]:
    """Return the names that a module defines; `*` if there may be more."""
    return [name for statement in tree.body for name in _bound_by(statement)]


def _bound_by(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from (alias.asname or alias.name for alias in names)
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
            yield "*"
        case _:
            pass
