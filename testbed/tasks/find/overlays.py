"""The overlays that there are, as far as a plan needs to know them; only their programs know their parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Overlay:
    """What the nodes of an overlay can be."""

    roles: tuple[str, ...]
    """Of nodes; the first is what a group has that names none."""
    label: str
    """How figures name it."""
    attackers: tuple[str, ...] = ()
    """The roles that want others not to find what they look for."""
    has_directory: bool = False
    """Whether nodes know only a server, and the server knows everything."""
    entered_by: tuple[str, ...] = ()
    """The roles that newcomers can be sent to, if not all are."""
    has_words: bool = True
    """Whether it can be asked for words, and not only for an exact name."""
    has_ring: bool = False
    """Whether each node has one successor that is the right one."""
    has_files: bool = False
    """Whether nodes can download from each other what they found."""

    def admits(self, role: str) -> bool:
        """Whether newcomers can join by a node of this role."""
        return not self.entered_by or role in self.entered_by


OVERLAYS: Final[Mapping[str, Overlay]] = {
    "napster": Overlay(("client",), "Napster", has_directory=True),
    "gnutella": Overlay(
        ("servent", "ultrapeer", "leaf", "elected"),
        "Gnutella",
        entered_by=("servent", "ultrapeer", "elected"),
        has_files=True,
    ),
    "chord": Overlay(("node",), "Chord", has_words=False, has_ring=True),
    "kademlia": Overlay(
        ("node", "sybil", "poisoner", "pretender"),
        "Kademlia",
        attackers=("sybil", "poisoner", "pretender"),
        entered_by=("node",),
        has_words=False,
    ),
    "cubit": Overlay(("node",), "CuBit"),
    "keywords": Overlay(("node",), "keyword index"),
}
"""By the name that experiment files and the program have for them."""
_OWN: Final = Overlay(("node",), "")


def overlay_named(reference: str) -> Overlay | None:
    """Return what an overlay is; of `module:NAME`, which only the program can find, it is assumed to have no roles."""
    return _OWN if ":" in reference else OVERLAYS.get(reference)
