"""An author is told the exception in one line, and the lines of the author's own modules only."""

import sys
from collections.abc import Callable
from types import ModuleType

import pytest

from peer.bittorrent.strategies.faults import describe, fault_of, line_of, outwards, running_lines


def module(name: str, text: str) -> ModuleType:
    made = ModuleType(name)
    exec(compile(text, f"/home/{name}.py", "exec"), vars(made))  # noqa: S102  # the module of the test
    return made


def raised(call: Callable[[], object]) -> BaseException:
    with pytest.raises(BaseException) as error:  # noqa: PT011  # any of them
        call()
    return error.value


class WrongInItselfError(Exception):
    """An exception whose message cannot be made."""

    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("two\n  lines"), "ValueError: two lines"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (MemoryError(), "MemoryError: it needs more memory than it may have"),
        (SyntaxError("invalid syntax", ("mine.py", 3, 1, "def (")), "SyntaxError: invalid syntax"),
        (WrongInItselfError(), "WrongInItselfError"),
    ],
)
def test_exception_is_described_in_one_line(error: BaseException, expected: str) -> None:
    assert describe(error) == expected


def test_fault_has_lines_of_own_modules_only() -> None:
    mine = module(
        "mine", "import json\n\ndef read(text):\n    return json.loads(text)\n\ndef twice(text):\n    read(text)\n"
    )
    fault = fault_of(raised(lambda: mine.twice("{")), ["mine"])
    assert fault.problem.startswith("JSONDecodeError: ")
    assert fault.lines == (("/home/mine.py", 7, "twice"), ("/home/mine.py", 4, "read"))


def test_fault_without_own_lines_has_the_one_that_raised() -> None:
    mine = module("mine", "def fails():\n    return 1 / 0\n")
    assert fault_of(raised(mine.fails), ["other"]).lines == (("/home/mine.py", 2, "fails"),)


def test_syntax_error_of_an_imported_file_is_its_line() -> None:
    error = SyntaxError("invalid syntax", ("/home/mine.py", 3, 1, "def ("))
    assert fault_of(error, ["mine"]).lines == (("/home/mine.py", 3, ""),)


def test_lines_being_executed_are_those_of_own_modules() -> None:
    found = []
    look = lambda: found.append(running_lines(sys._getframe(), ["mine"]))  # noqa: E731
    module("mine", "def outer(look):\n    inner(look)\n\ndef inner(look):\n    look()\n").outer(look)
    assert found == [(("/home/mine.py", 2, "outer"), ("/home/mine.py", 5, "inner"))]
    assert outwards(None) == []


def test_definition_of_a_function_or_class_is_found() -> None:
    mine = module("mine", "def f(): pass\n\nclass C:\n    def __init__(self): pass\n")
    assert (line_of(mine.f), line_of(mine.C)) == ((("/home/mine.py", 1, "f"),), (("/home/mine.py", 4, "__init__"),))
    assert line_of(dict) == ()
