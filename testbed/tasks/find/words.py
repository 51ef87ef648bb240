"""What figures of a search for content call the keys and values of experiment files."""

from collections.abc import Collection, Mapping
from typing import Final

from testbed.tasks.find.overlays import OVERLAYS

_KEYS: Final[Mapping[str, str]] = {
    "content.items": "number of items",
    "content.zipf": "exponent of popularity",
    "content.copies.each": "copies of each item",
    "content.copies.total": "copies of all items",
    "queries.rate": "searches of a node",
    "queries.total_rate": "searches of all nodes",
    "queries.words": "words in a question",
    "queries.typos": "typing errors in a question",
    "queries.what": "what is asked for",
    "topology.class": "topology",
    "overlay.search.ttl": "TTL",
    "overlay.search.way": "way of searching",
    "overlay.walk.walkers": "walkers",
    "overlay.uploads.by_level": "whether levels count",
    "overlay.uploads.slots": "uploads at a time",
}
_ASPECTS: Final[Mapping[str, str]] = {
    "up": "upload rate",
    "down": "download rate",
    "delay": "link delay",
    "loss": "packet loss",
    "shares": "part that shares anything",
    "arrival.poisson": "arrival rate",
    "arrival.uniform": "span of arrivals",
    "sessions.length": "length of sessions",
    "sessions.length.exponential": "median session",
    "sessions.length.pareto.median": "median session",
    "sessions.pause": "length of pauses",
    "sessions.pause.exponential": "median pause",
}
NAMES: Final[Mapping[str, str]] = {
    **{name: overlay.label for name, overlay in OVERLAYS.items()},
    "not_found": "not found",
    "search.ttl": "TTL",
    "k": "k",
    "alpha": "alpha",
    "flash": "all at once",
}
"""Words and names of parameters that are not written as in experiment files."""


def key_label(key: str, groups: Collection[str]) -> str:
    """Return what a swept key is: `nodes.homes.count` is the number of nodes, where there is no other group."""
    first, *rest = key.split(".")
    if key in _KEYS:
        return _KEYS[key]
    if first == "nodes" and len(rest) > 1:
        is_only = len(set(groups) - {"directory"}) < 2
        return _of_group(rest[0], rest[1:], is_only=is_only)
    if first == "directory" and rest:
        return f"{_aspect(rest)} of the directory"
    return key.rpartition(".")[2].replace("_", " ")


def _of_group(group: str, rest: list[str], *, is_only: bool) -> str:
    name = group.replace("_", " ")
    if rest == ["count"]:
        return "number of nodes" if is_only else f"number of {name}"
    return f"{_aspect(rest)} of {'the nodes' if is_only else f'the {name}'}"


def _aspect(rest: list[str]) -> str:
    return _ASPECTS.get(".".join(rest)) or rest[-1].replace("_", " ")
