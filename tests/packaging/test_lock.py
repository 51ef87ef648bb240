"""requirements.lock: this environment has its versions, and it has a version of everything that the tests need."""

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCK = Path(__file__).parents[2] / "requirements.lock"


def locked_here() -> dict[str, str]:
    """The locked version of each package, for this Python on this processor."""
    lines = [line for line in LOCK.read_text().splitlines() if not line.startswith("#")]
    requirements = [requirement for requirement in map(Requirement, lines) if applies(requirement)]
    return {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in requirements}


def applies(requirement: Requirement, extra: str = "") -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def requirements_of(name: str, extra: str) -> Iterator[Requirement]:
    wanted = map(Requirement, importlib.metadata.requires(name) or ())
    return (requirement for requirement in wanted if applies(requirement, extra))


def all_requirements() -> set[str]:
    """What `testbed[dev]` needs, directly and indirectly."""
    seen: set[tuple[str, str]] = set()
    waiting = [("testbed", "dev")]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) not in seen:
            seen.add((name, extra))
            for requirement in requirements_of(name, extra):
                needed = canonicalize_name(requirement.name)
                waiting += [(needed, inner) for inner in ("", *requirement.extras)]
    return {name for name, _ in seen} - {"testbed"}


def test_installed_versions_are_the_locked_ones() -> None:
    installed = {name: importlib.metadata.version(name) for name in all_requirements()}
    assert installed == {name: locked_here().get(name) for name in installed}


def test_lock_holds_nothing_that_is_not_needed() -> None:
    assert locked_here().keys() == all_requirements()
