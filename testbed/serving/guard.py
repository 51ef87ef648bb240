"""Who may ask for what, before anything is answered. Pure but for the token that is drawn."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final, NamedTuple

TOKEN: Final = "token"  # noqa: S105
"""The parameter of the address that is given to people."""
METHODS: Final = frozenset({"GET", "HEAD"})
_LOCAL_NAME: Final = "localhost"


class Refusal(NamedTuple):
    """Why a request is not answered."""

    status: HTTPStatus
    why: str


def is_loopback(host: str) -> bool:
    """Whether a name or an address reaches this machine alone."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == _LOCAL_NAME


def host_in(header: str) -> str:
    """Return the host in a Host header, without its port."""
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.partition(":")[0]


@dataclass(frozen=True)
class Guard:
    """Refuses what is not asked by those for whom this is served."""

    address: str
    """Where the server listens."""
    port: int
    token: str = ""
    """What a browser must know; empty on this machine alone."""

    @classmethod
    def of(cls, address: str, port: int) -> "Guard":
        """Guard an address: with a token, unless it reaches this machine alone."""
        return cls(address, port, "" if is_loopback(address) else secrets.token_urlsafe(24))

    @property
    def cookie(self) -> str:
        """The name of the cookie that keeps the token; ports of a machine share their cookies."""
        return f"testbed-{self.port}"

    def knows(self, token: str | None) -> bool:
        """Whether somebody knows the token. The time that takes tells nothing of it."""
        return token is not None and hmac.compare_digest(token.encode(), self.token.encode())

    def refusal(self, method: str, host: str, cookies: Mapping[str, str], given: str | None) -> Refusal | None:
        """Return why a request is refused; None if it is not. `given` is the token in its address."""
        if method not in METHODS:
            return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "runs are only looked at here: use GET")
        if self.token:
            if self.knows(given) or self.knows(cookies.get(self.cookie)):
                return None
            return Refusal(HTTPStatus.FORBIDDEN, "open the address that `testbed serve` printed, with its token")
        # A page of elsewhere can have its own name lead here, and then read what is here; its name tells.
        if is_loopback(host_in(host)):
            return None
        return Refusal(HTTPStatus.FORBIDDEN, "this is served to this machine alone: open the address that it printed")
