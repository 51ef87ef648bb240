"""What is wrong with a strategy, told to its author: the exception, and the lines of the author's own files."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from types import CodeType, FrameType, TracebackType
from typing import NamedTuple, TypeAlias

Step: TypeAlias = tuple[FrameType, int]
"""A frame, and the number of the line that it was at."""


class Line(NamedTuple):
    """A line of a file, and the function that it is in."""

    file: str
    number: int
    function: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one line, and where in the author's files."""

    problem: str
    parameter: str = ""
    """The parameter of the strategy that is to blame, if one is."""
    lines: tuple[Line, ...] = ()
    """The outermost first, as in a traceback."""


def fault_of(error: BaseException, modules: Collection[str]) -> Fault:
    """Describe an exception to the author of these modules; if none is involved, with the line that raised it."""
    steps = list(_steps(error.__traceback__))
    return Fault(describe(error), lines=own_lines(error, modules) or _lines(steps[-1:]))


def describe(error: BaseException) -> str:
    """Return the class and the message of an exception in one line."""
    message = message_of(error)
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def message_of(error: BaseException) -> str:
    """Return the message of an exception in one line."""
    if isinstance(error, MemoryError) and not error.args:
        return "it needs more memory than it may have"
    try:
        message = error.msg if isinstance(error, SyntaxError) else str(error)
    except Exception:  # the author's class, too, may be wrong
        message = ""
    return " ".join(message.split())


def own_lines(error: BaseException, modules: Collection[str]) -> tuple[Line, ...]:
    """Return the lines of these modules that an exception passed through."""
    own = _lines(step for step in _steps(error.__traceback__) if _module(step[0]) in modules)
    if isinstance(error, SyntaxError) and error.lineno and not (error.filename or "<").startswith("<"):
        return (*own, Line(error.filename or "", error.lineno, ""))
    return own


def running_lines(frame: FrameType | None, modules: Collection[str]) -> tuple[Line, ...]:
    """Return the lines of these modules that are being executed; if there are none, the innermost line."""
    steps = [(each, each.f_lineno) for each in outwards(frame)]
    own = [step for step in steps if _module(step[0]) in modules]
    return _lines(reversed(own or steps[:1]))


def outwards(frame: FrameType | None) -> list[FrameType]:
    """Return a frame and those that called it, the innermost first."""
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return frames


def frames_of(error: BaseException) -> list[FrameType]:
    """Return the frames that an exception passed through, the innermost first."""
    return [frame for frame, _ in reversed(list(_steps(error.__traceback__)))]


def line_of(make: Callable[..., object]) -> tuple[Line, ...]:
    """Return where a function, or the constructor of a class, is defined; nothing if it is not written in Python."""
    for each in (make, getattr(make, "__init__", None)):
        code = getattr(each, "__code__", None)
        if isinstance(code, CodeType):
            return (Line(code.co_filename, code.co_firstlineno, code.co_name),)
    return ()


def _steps(traceback: TracebackType | None) -> Iterator[Step]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _lines(steps: Iterable[Step]) -> tuple[Line, ...]:
    return tuple(Line(frame.f_code.co_filename, number, frame.f_code.co_name) for frame, number in steps)
