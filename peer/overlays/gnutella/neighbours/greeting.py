"""What servents say in a handshake, and what is made of it."""

from collections.abc import Iterable
from typing import Final

from peer.errors import WireError
from peer.net.address import Address, parse_address
from peer.overlays.gnutella.links import Link, Other
from peer.overlays.gnutella.neighbours.standing import Standing
from peer.overlays.gnutella.parameters import Parameters
from peer.overlays.gnutella.wire.handshake import ANSWER, CONNECT, OK
from peer.overlays.gnutella.wire.messages import Handshake

_MOST_TRIES: Final = 10
"""Addresses that are given or taken in one handshake."""
CHECK: Final = "X-Walker-Check"
"""Ours: a walker asks whether it is to go on. Servents that do not know it take the caller for a peer."""
LEVEL: Final = "X-Participation-Level"
"""Ours: the level that KaZaA's clients told each other."""
Headers = tuple[tuple[str, str], ...]


def introduction(own: Address, standing: Standing, parameters: Parameters, level: int) -> Headers:
    """Return what a servent says of itself, with the participation level that it claims."""
    headers = [("User-Agent", "testbed"), ("Listen-IP", str(own)), ("Pong-Caching", "0.1"), ("Bye-Packet", "0.1")]
    headers.append((LEVEL, str(level)))
    if standing.role is Other.PEER:
        return tuple(headers)
    headers += [("X-Ultrapeer", str(standing.is_ultrapeer)), ("X-Query-Routing", "0.1")]
    if parameters.tables.between_ultrapeers:
        headers.append(("X-Ultrapeer-Query-Routing", "0.1"))
    headers += [("X-Dynamic-Querying", "0.1"), ("X-Degree", str(parameters.neighbours.ultrapeers))]
    headers.append(("X-Max-TTL", str(parameters.dynamic.most_ttl)))
    return tuple(headers)


def call(headers: Headers) -> Handshake:
    return Handshake(CONNECT, headers)


def yes(headers: Headers = ()) -> Handshake:
    return Handshake(OK, headers)


def no(code: int, reason: str, headers: Headers = ()) -> Handshake:
    return Handshake(f"{ANSWER}{code} {reason}", headers)


def elsewhere(addresses: Iterable[Address], *, are_ultrapeers: bool) -> Headers:
    """Return where to try instead."""
    text = ",".join(map(str, addresses))
    return (("X-Try-Ultrapeers" if are_ultrapeers else "X-Try", text),) if text else ()


def addresses_in(handshake: Handshake) -> list[Address]:
    """Return where somebody says that we may try."""
    texts = [*handshake.get("X-Try-Ultrapeers").split(","), *handshake.get("X-Try").split(",")]
    found = [_address(text.strip()) for text in texts[: 2 * _MOST_TRIES] if text.strip()]
    return [address for address in found if address is not None]


def _address(text: str) -> Address | None:
    try:
        return parse_address(text)
    except WireError:
        return None


def learn(link: Link, handshake: Handshake) -> None:
    """Note what the other end says of itself. Its host is known from the connection, and only its port is believed."""
    listens = _address(handshake.get("Listen-IP"))
    if listens is not None:
        link.address = Address(link.address.host, listens.port)
    if handshake.get("X-Ultrapeer"):
        link.other = Other.ULTRAPEER if is_true(handshake, "X-Ultrapeer") else Other.LEAF
    link.level = _number(handshake.get(LEVEL), link.level, 0, 1_000)
    link.degree = _number(handshake.get("X-Degree"), link.degree, 2, 255)
    link.most_ttl = _number(handshake.get("X-Max-TTL"), link.most_ttl, 1, 7)
    link.takes_tables = bool(handshake.get("X-Ultrapeer-Query-Routing"))


def is_true(handshake: Handshake, header: str) -> bool:
    return handshake.get(header).lower() == "true"


def _number(text: str, otherwise: int, least: int, most: int) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) < 6
    return max(least, min(most, int(text))) if is_number else otherwise
