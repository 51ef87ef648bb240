"""Values of JSON as values of dataclasses, read strictly: an error names the key, such as `sessions[0].leave`."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from peer.errors import WireError
from peer.net.address import Address, pack_host, pack_host6, parse_address

T = TypeVar("T")


class DescriptionError(Exception):
    """A description is wrong; the message names the key and says what is expected."""


def problem(key: str, text: str) -> DescriptionError:
    """Make the error for a key; the whole description has none."""
    return DescriptionError(f"{key}: {text}" if key else text)


def read(kind: type[T], value: object, key: str = "") -> T:
    """Read an object as a dataclass; raises DescriptionError. Its own checks raise ValueError."""
    if not isinstance(value, Mapping):
        raise problem(key, f"expected an object, found {_shown(value)}")
    hints = get_type_hints(kind)
    _check_keys(kind, value, key)
    values = {name: _read(hints[name], value[name], _join(key, name)) for name in value}
    try:
        return kind(**values)
    except ValueError as error:
        raise problem(key, str(error)) from error


def _check_keys(kind: Any, value: Mapping[str, object], key: str) -> None:
    known = [each.name for each in fields(kind)]
    for name in value:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"expected {', '.join(known) or 'no key'}"
            raise problem(_join(key, name), f"unknown key; {hint}")
    for each in fields(kind):
        if each.name not in value and each.default is MISSING and each.default_factory is MISSING:
            raise problem(_join(key, each.name), "missing")


def _read(hint: Any, value: object, key: str) -> Any:
    if get_origin(hint) in {Union, UnionType}:
        return _read_optional(hint, value, key)
    if get_origin(hint) is tuple:
        return _read_list(get_args(hint)[0], value, key)
    if is_dataclass(hint) and isinstance(hint, type):
        return read(hint, value, key)
    return _PLAIN[get_origin(hint) or hint](value, key)


def _read_optional(hint: Any, value: object, key: str) -> Any:
    if value is None:
        return None
    (plain,) = (each for each in get_args(hint) if each is not NoneType)
    return _read(plain, value, key)


def _read_list(hint: Any, value: object, key: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise problem(key, f"expected a list, found {_shown(value)}")
    return tuple(_read(hint, each, f"{key}[{number}]") for number, each in enumerate(value))


def _text(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise problem(key, f"expected a text, found {_shown(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise problem(key, f"expected characters of Unicode: {error.reason}") from error
    return value


def _truth(value: object, key: str) -> bool:
    if not isinstance(value, bool):
        raise problem(key, f"expected true or false, found {_shown(value)}")
    return value


def _whole(value: object, key: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise problem(key, f"expected a whole number, found {_shown(value)}")
    return value


def _number(value: object, key: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
        raise problem(key, f"expected a number, found {_shown(value)}")
    return float(value)


def _address(value: object, key: str) -> Address:
    """Read a numeric address: a name would have to be looked up."""
    try:
        found = parse_address(_text(value, key))
        (pack_host6 if ":" in found.host else pack_host)(found.host)
        return found
    except WireError as error:
        raise problem(key, str(error)) from error


def _object(value: object, key: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise problem(key, f"expected an object, found {_shown(value)}")
    return value


_PLAIN: Final[Mapping[Any, Callable[[object, str], Any]]] = {
    str: _text,
    bool: _truth,
    int: _whole,
    float: _number,
    Address: _address,
    Mapping: _object,
}


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _shown(value: object) -> str:
    return repr(value)[:64]
