"""What one node is to do, as its description in JSON says: docs/find/running.md explains the keys."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import Any, Final

from peer.net.address import Address
from peer.overlays.content import Item, Wanted
from peer.overlays.overlay import NO_ATTACK, Attack, Overlay, Role, StreamOverlay
from peer.overlays.reading import DescriptionError, problem, read

_NAME: Final = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Search:
    """A question that the node asks; times are seconds after the start of the program."""

    at: float
    name: str
    wanted: str
    is_exact: bool = True

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(_no_name(self.name))

    @property
    def question(self) -> Wanted:
        return Wanted(self.wanted, self.is_exact)


@dataclass(frozen=True, slots=True)
class Session:
    """A life of the node."""

    join: float = 0.0
    leave: float | None = None
    """None: it stays until the program is told to end."""
    by_word: bool = True
    """Whether it tells others that it leaves."""
    address: Address | None = None
    """None: the address of the description."""

    def __post_init__(self) -> None:
        if not 0 <= self.join < self.end:
            raise ValueError(f"expected 0 <= join < leave, found {self.join:g} and {self.end:g}")

    @property
    def end(self) -> float:
        return inf if self.leave is None else self.leave

    def covers(self, search: Search) -> bool:
        """Whether it is in this life that the node asks."""
        return self.join <= search.at < self.end


@dataclass(frozen=True, slots=True)
class Description:
    """A node: what it is, what it shares, what it looks for, and when it is there."""

    overlay: str
    address: Address
    role: str = "node"
    parameters: Mapping[str, object] = field(default_factory=dict)
    known: tuple[Address, ...] = ()
    items: tuple[Item, ...] = ()
    searches: tuple[Search, ...] = ()
    sessions: tuple[Session, ...] = (Session(),)
    seed: int | None = None
    fetch: bool = False
    followed: tuple[str, ...] = ()
    """The searches, of any node, of whose messages the trace tells one by one."""
    attack: Attack = NO_ATTACK
    downloads: bool = False


def read_description(text: str) -> Description:
    """Read a description; raises DescriptionError."""
    try:
        value = json.loads(text, object_pairs_hook=_without_repetition)
    except (ValueError, RecursionError) as error:
        raise DescriptionError(f"it is not JSON: {error}") from error
    description = read(Description, value)
    _check_sessions(description.sessions)
    _check_searches(description)
    _check_followed(description.followed)
    return description


def parameters_for(description: Description, overlay: Overlay) -> Any:
    """Return the parameters as the role's class has them; raises DescriptionError."""
    role = overlay.roles.get(description.role)
    if role is None:
        raise problem("role", f"expected {' or '.join(overlay.roles)}, found {description.role[:64]!r}")
    if description.downloads and not (isinstance(overlay, StreamOverlay) and overlay.has_files):
        raise problem("downloads", f"nodes of {description.overlay} have no files for each other: leave this key out")
    if len(description.known) < role.least_known:
        raise problem("known", f"a {description.role} has to know {role.least_known} address at least")
    _check_attack(description, role)
    return read(role.parameters, description.parameters, "parameters")


def _no_name(name: str) -> str:
    return f"expected a name of 32 hex digits in lower case, found {name[:64]!r}"


def _without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise problem(next(name for name in names if names.count(name) > 1), "this key is there twice")
    return found


def _check_sessions(sessions: tuple[Session, ...]) -> None:
    if not sessions:
        raise problem("sessions", "expected one at least")
    for number, (before, after) in enumerate(pairwise(sessions), start=1):
        if before.leave is None:
            raise problem(f"sessions[{number}].join", "the session before it has no end")
        if after.join < before.leave:
            raise problem(
                f"sessions[{number}].join", f"expected {before.leave:g} or later, when the last one has ended"
            )


def _check_attack(description: Description, role: Role[Any]) -> None:
    if role.least_targets is None and description.attack != NO_ATTACK:
        raise problem("attack", f"a {description.role} attacks nobody")
    if len(description.attack.targets) < (role.least_targets or 0):
        raise problem("attack.targets", f"a {description.role} has to be told of {role.least_targets} at least")


def _check_searches(description: Description) -> None:
    names = set()
    for number, search in enumerate(description.searches):
        if search.name in names:
            raise problem(f"searches[{number}].name", "another search has this name")
        names.add(search.name)
        if not any(session.covers(search) for session in description.sessions):
            raise problem(f"searches[{number}].at", f"the node is in no session {search.at:g} s after the start")


def _check_followed(names: Iterable[str]) -> None:
    for number, name in enumerate(names):
        if not _NAME.fullmatch(name):
            raise problem(f"followed[{number}]", _no_name(name))
