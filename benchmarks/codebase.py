"""The structure of codebases, side by side: lengths of files and functions, parameters, entries of folders.

    python -m benchmarks.codebase testbed peer
    pip download --no-deps --no-binary :all: h11 httpcore aioquic && for each: tar xf ...
    python -m benchmarks.codebase testbed peer h11-*/h11 httpcore-*/httpcore aioquic-*/src/aioquic

Cells are median / maximum. Tests are left out. Lines include comments and docstrings.
"""

import argparse
import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Shape:
    """The counts of one folder."""

    files: list[int]
    functions: list[int]
    parameters: list[int]
    folders: list[int]

    def row(self, name: str) -> str:
        """Format one row of the table."""
        small = sum(length < 60 for length in self.files) / len(self.files)
        cells = [
            name,
            str(len(self.files)),
            _span(self.files),
            f"{small:.0%}",
            _span(self.functions),
            _span(self.parameters),
            _span(self.folders),
        ]
        return "| " + " | ".join(cells) + " |"


def measure(root: Path) -> Shape:
    """Count in a folder and its subfolders."""
    paths = [path for path in sorted(root.rglob("*.py")) if "tests" not in path.relative_to(root).parts]
    files = [path for path in paths if len(path.read_text().splitlines()) > 2]
    functions = [each for path in files for each in _functions(path)]
    folders = {path.parent for path in paths}
    return Shape(
        files=[len(path.read_text().splitlines()) for path in files],
        functions=[(each.end_lineno or each.lineno) - each.lineno + 1 for each in functions],
        parameters=[_parameters(each) for each in functions],
        folders=[len(_entries(folder)) for folder in folders],
    )


def _functions(path: Path) -> Iterator[Function]:
    tree = ast.parse(path.read_text())
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _parameters(function: Function) -> int:
    """Count a function's parameters, without self and cls."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return len([each for each in named if each.arg not in {"self", "cls"}])


def _entries(folder: Path) -> list[Path]:
    """Return the modules and packages of a folder."""
    return [entry for entry in folder.iterdir() if not entry.name.startswith(("_", "."))]


def _span(numbers: list[int]) -> str:
    return f"{median(numbers):g} / {max(numbers)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="+")
    print("| | files | lines | under 60 | function lines | parameters | entries of a folder |")
    print("|---|---|---|---|---|---|---|")
    for folder in parser.parse_args().folder:
        print(measure(folder).row(folder.name))


if __name__ == "__main__":
    main()
