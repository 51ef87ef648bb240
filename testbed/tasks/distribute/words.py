"""What figures of a distribution call the keys and values of experiment files."""

from collections.abc import Collection, Mapping
from typing import Final

_ASPECTS: Final[Mapping[str, str]] = {
    "up": "upload rate",
    "down": "download rate",
    "delay": "link delay",
    "loss": "packet loss",
    "application": "client",
    "arrival.poisson": "arrival rate",
    "arrival.uniform": "span of arrivals",
    "arrival.at": "arrival",
    "departure.after": "time until departure",
    "departure.linger": "time after completion",
    "departure.share_ratio": "copies sent before departure",
    "start.peers": "number of peers with a part of the file",
    "start.with": "part of the file at the start",
}
"""Keys of hosts that have other names in figures."""

_KEYS: Final[Mapping[str, str]] = {
    "distribution": "scheme",
    "file.size": "file size",
    "discovery": "peers found by",
    "tracker.kind": "protocol of the tracker",
    "tracker.numwant": "peers that the tracker names",
    "tracker.seeds_meet_seeds": "seeds are named to seeds",
    "topology.class": "topology",
    "servers.count": "number of servers",
}

NAMES: Final[Mapping[str, str]] = {
    "bittorrent": "BitTorrent",
    "bep3": "BEP 3",
    "random-order": "random order",
    "random-unchoke": "random unchoke",
    "optimistic-only": "optimistic only",
    "no-optimistic": "no optimistic slot",
    "bittyrant": "BitTyrant",
    "propshare": "PropShare",
    "bitthief": "BitThief",
    "large-view": "large view",
    "seeds-only": "seeds only",
    "fastest-only": "fastest only",
    "false-pieces": "false pieces",
    "under-report": "under-reporting",
    "sybil": "Sybil",
    "whitewash": "whitewashing",
    "seed-drain": "seed drain",
    "seed-round-robin": "round-robin",
    "seed-fastest": "fastest first",
    "swift": "Swift",
    "flash": "flash crowd",
    "at-completion": "leave at completion",
    "poisson": "Poisson",
    "dht": "DHT",
    "http": "HTTP",
    "udp": "UDP",
    "cubic": "CUBIC",
    "reno": "Reno",
    "bbr": "BBR",
}
"""Words and names of parameters that are not written as in experiment files."""


def key_label(key: str, groups: Collection[str]) -> str:
    """Return what a swept key is: `peers.riders.count` is the number of riders, where there are other groups."""
    first, *rest = key.split(".")
    if key in _KEYS:
        return _KEYS[key]
    if first == "servers" and rest:
        return f"{_aspect(rest)} of the server"
    if first == "peers" and len(rest) > 1:
        return _of_group(rest[0], rest[1:], is_only=len(groups) < 2)
    return _in_words(key.rpartition(".")[2])


def _of_group(group: str, rest: list[str], *, is_only: bool) -> str:
    """Names of groups that end with s are read as plurals."""
    name, is_plural = _in_words(group), group.endswith("s")
    if rest == ["count"]:
        return "number of peers" if is_only else f"number of {name}" if is_plural else f"number of peers in {name}"
    return f"{_aspect(rest)} of {'the peers' if is_only else f'the {name}' if is_plural else f'group {name}'}"


def _aspect(rest: list[str]) -> str:
    return _ASPECTS.get(".".join(rest)) or _in_words(rest[-1])


def _in_words(name: str) -> str:
    return name.replace("_", " ")
