"""The keys that an experiment file can have, as the models define them."""

import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Tag
from pydantic.fields import FieldInfo

from testbed.values.findings import Key
from testbed.values.parts import Part

NAME: Final = "NAME"
"""In paths, a name that authors choose."""
OWN_KEYS: Final = "x-"
"""Keys that begin so, at the top level, are the author's own: they hold anchors, and are ignored."""


def follow(start: object, path: Sequence[Key]) -> object:
    """Return the type at `path`, which may name a union's member by its tag; raise LookupError for an unknown key."""
    for key in path:
        start = step(start, key)
    return start


def step(annotation: object, key: Key) -> object:
    """Return the type under one key; raise LookupError if there is no such key."""
    bare = _bare(annotation)
    if bare is Any:
        return Any
    if _is_union(bare):
        return _step_into_union(get_args(bare), key)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return _step_into_model(bare, key)
    if get_origin(bare) is dict:
        return get_args(bare)[1]
    if get_origin(bare) is list and isinstance(key, int):
        return get_args(bare)[0]
    raise LookupError(key)


def keys_of(annotation: object) -> tuple[str, ...]:
    """Return the keys that a mapping of this type can have; empty if it takes any key, or is no mapping."""
    return tuple(dict.fromkeys(key for model in _models(annotation) for key in fields_of(model)))


def keys_of_member(annotation: object) -> tuple[str, ...]:
    """Return the keys of what authors name in a mapping of this type."""
    return tuple(
        dict.fromkeys(
            key for each in _members(annotation) if get_origin(each) is dict for key in keys_of(get_args(each)[1])
        )
    )


def outline_of(annotation: object) -> str:
    """Return what to write for a mapping of this type, as its model says; empty if it does not."""
    return next((model.outline for model in _models(annotation) if issubclass(model, Part) and model.outline), "")


def _models(annotation: object) -> list[type[BaseModel]]:
    return [member for member in _members(annotation) if isinstance(member, type) and issubclass(member, BaseModel)]


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return a model's fields by their keys in a file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def is_open(annotation: object) -> bool:
    """Whether authors choose the keys of a mapping of this type."""
    return any(
        get_origin(member) is dict or (isinstance(member, type) and _extra_type(member) is not None)
        for member in _members(annotation)
    )


def key_paths(annotation: object, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, FieldInfo]]:
    """Yield the path and field of every possible key, with NAME for a name that authors choose."""
    for member in _members(annotation):
        if get_origin(member) is dict:
            yield from key_paths(get_args(member)[1], (*prefix, NAME))
        elif isinstance(member, type) and issubclass(member, BaseModel):
            for key, field in fields_of(member).items():
                yield ".".join((*prefix, key)), field
                yield from key_paths(field.annotation, (*prefix, key))


def _step_into_union(members: Sequence[object], key: Key) -> object:
    for member in members:
        if key in _tags(member):
            return member
    for member in members:
        try:
            return step(member, key)
        except LookupError:
            continue
    raise LookupError(key)


def _step_into_model(model: type[BaseModel], key: Key) -> object:
    fields = fields_of(model)
    if key in fields:
        return fields[str(key)].annotation
    extra = _extra_type(model)
    if extra is None:
        raise LookupError(key)
    return extra


def _extra_type(model: type) -> object | None:
    """Return the type of a model's extra keys; None if it allows none."""
    if not issubclass(model, BaseModel) or model.model_config.get("extra") != "allow":
        return None
    extra: object = get_args(get_type_hints(model, include_extras=True)["__pydantic_extra__"])[1]
    return extra


def _members(annotation: object) -> Iterator[object]:
    bare = _bare(annotation)
    if _is_union(bare):
        for member in get_args(bare):
            yield from _members(member)
    else:
        yield bare


def _bare(annotation: object) -> object:
    return _bare(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation


def _is_union(annotation: object) -> bool:
    return get_origin(annotation) in {Union, types.UnionType}


def _tags(annotation: object) -> list[str]:
    metadata = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return [each.tag for each in metadata if isinstance(each, Tag)]
