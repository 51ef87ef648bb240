"""Strategies of one's own, in modules beside the experiment file: their text becomes a part of the plan.

So a run says what was measured, whoever changes the module later, and a changed module is another trial. A module that
is not beside the file is installed, or is not there at all: only the peer can tell.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from testbed.values.findings import did_you_mean


class ModuleError(ValueError):
    """A module that has not what was asked for."""


def read_module(folder: Path, reference: str) -> tuple[str, str] | None:
    """Return name and text of the module that `module:Class` names, if it is in the folder; nothing is run."""
    module, colon, attribute = reference.partition(":")
    parts = module.split(".")
    if not colon or not all(part.isidentifier() for part in parts):
        return None
    file = folder.joinpath(*parts).with_suffix(".py")
    if not file.is_file():
        return None
    text = _text(file)
    offered = _names(_tree(file, text))
    if attribute not in offered and "*" not in offered:
        raise ModuleError(f"{file} has no class or function {attribute!r}{did_you_mean(attribute, offered)}")
    return module, text


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or "").lower() if isinstance(error, OSError) else "is not text in UTF-8"
        raise ModuleError(f"{file}: {reason}") from error


def _tree(file: Path, text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise ModuleError(f"{file}:{error.lineno}: {error.msg}") from error
    except ValueError as error:  # a NUL among the characters
        raise ModuleError(f"{file}: is not Python: {error}") from error


def _names(tree: ast.Module) -> list[str]:
    """Return what a module defines; `*` where more may come from elsewhere."""
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
