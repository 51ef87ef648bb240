"""The scripts and styles of the page as one script and one style sheet.

The scripts are modules of plain JavaScript, which a browser cannot import from within a single file. So each becomes a
function that returns what it exports, and an import takes it from there. They need neither a package nor a bundler:
users have no npm, and what they run is what is in the repository, line by line.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

ASSETS: Final = Path(__file__).parent / "assets"
_IMPORT: Final = re.compile(r'^import (\{[^}]*\}) from "([^"]+)";$', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=(?:async )?(?:function\*?|const|class) (\w+))", re.MULTILINE)
_LEFT: Final = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


class ModuleError(Exception):
    """A script that is written in a way that cannot be inlined."""


def script(entry: str = "main.js", folder: Path = ASSETS / "scripts") -> str:
    """Return a module with all that it imports, each before its first use, as one strict script."""
    order: list[str] = []
    _visit(entry, folder, order, ())
    parts = [_wrapped(name, (folder / name).read_text(encoding="utf-8")) for name in order]
    return '"use strict";\nconst modules = {};\n' + "\n".join(parts)


def style(folder: Path = ASSETS / "styles") -> str:
    """Return all style sheets as one, in the order of their names."""
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.css")))


def _visit(name: str, folder: Path, order: list[str], path: tuple[str, ...]) -> None:
    if name in path:
        raise ModuleError(f"{name} imports itself: {' -> '.join([*path, name])}")
    if name not in order:
        for imported in _imports(name, (folder / name).read_text(encoding="utf-8")):
            _visit(imported, folder, order, (*path, name))
        order.append(name)


def _imports(name: str, text: str) -> Iterator[str]:
    for found in _IMPORT.finditer(text):
        yield _resolved(name, found[2])


def _resolved(name: str, reference: str) -> str:
    parts: list[str] = []
    for part in PurePosixPath(name).parent.joinpath(reference).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def _wrapped(name: str, text: str) -> str:
    exported = ", ".join(_EXPORT.findall(text))
    body = _IMPORT.sub(lambda found: f'const {found[1]} = modules["{_resolved(name, found[2])}"];', text)
    body = _EXPORT.sub("", body)
    if left := _LEFT.search(body):
        raise ModuleError(f"{name}: {left[0]!r} is neither a named import nor an exported declaration")
    return f'modules["{name}"] = (() => {{\n{body}return {{ {exported} }};\n}})();\n'
