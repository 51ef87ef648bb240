"""The adapters that are shipped, by the names that experiments use, and those of users, as `module:Class`."""

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Final, get_args

from contract.programs import UNTOLD, EncryptionChoice
from peer.adapters.adapter import Adapter
from peer.adapters.life.server import Service
from peer.adapters.program import AdapterError, Program

ADAPTERS: Final[Mapping[str, str]] = {
    "libtorrent": "peer.adapters.shipped.libtorrent:Libtorrent",
    "transmission": "peer.adapters.shipped.transmission:Transmission",
    "aria2": "peer.adapters.shipped.aria2:Aria2",
    "rtorrent": "peer.adapters.shipped.rtorrent:RTorrent",
    "qbittorrent": "peer.adapters.shipped.qbittorrent:QBittorrent",
    "webtorrent": "peer.adapters.shipped.webtorrent:WebTorrent",
}
"""Modules are imported when their client is used."""
_SERVICES: Final[Mapping[str, str]] = {
    "nginx": "peer.adapters.shipped.nginx:Nginx",
    "opentracker": "peer.adapters.shipped.opentracker:Opentracker",
}


def adapter_named(name: str) -> type[Adapter]:
    """Return an adapter; raises AdapterError for one that does not exist or cannot be used."""
    module_name, colon, attribute = ADAPTERS.get(name, name).partition(":")
    if not colon:
        raise AdapterError(f"there is no application {name!r}; expected {', '.join(ADAPTERS)}, or module:Class")
    try:
        module = import_module(module_name)
    except Exception as error:  # the author's module may raise anything
        raise AdapterError(f"module {module_name} cannot be imported: {type(error).__name__}: {error}") from error
    found = getattr(module, attribute, None)
    if not (inspect.isclass(found) and issubclass(found, Adapter)):
        raise AdapterError(f"{attribute} in module {module_name} is no subclass of peer.adapters.api.Adapter")
    _check(found)
    return found


def service_named(name: str) -> type[Service]:
    """Return one of the contract's SERVICES."""
    module_name, _, attribute = _SERVICES[name].partition(":")
    found: type[Service] = getattr(import_module(module_name), attribute)
    return found


def program_named(name: str) -> type[Program]:
    """Return a server or a client; raises AdapterError for one that does not exist or cannot be used."""
    return service_named(name) if name in _SERVICES else adapter_named(name)


def _check(adapter: type[Adapter]) -> None:
    """Refuse an adapter that lacks what every one has to have."""
    if not isinstance(getattr(adapter, "program", None), str):
        raise AdapterError(f"{adapter.__name__} has no `program`: name the file to be executed")
    for method in ("command", "state"):
        if getattr(adapter, method) is getattr(Adapter, method):
            raise AdapterError(f"{adapter.__name__} has no method {method}")
    words = {"untold": UNTOLD, "encryptions": get_args(EncryptionChoice)}
    for attribute, known in words.items():
        if unknown := [word for word in getattr(adapter, attribute) if word not in known]:
            problem = f"{adapter.__name__}.{attribute} has {unknown[0]!r}: expected words of {', '.join(known)}"
            raise AdapterError(problem)
