"""Finding every program of a plan that is not ours, before anything is built: only our programs know the adapters.

All shipped adapters are asked in one process, and those of each module of a user in another.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from contract.programs import RC4_PACKAGE
from testbed.experiment.plan.trials import Trial
from testbed.tasks.consultation import Consultation
from testbed.tasks.distribute.programs.strategies import Place, groups_of
from testbed.tasks.distribute.programs.user_code import module_of, user_code
from testbed.tasks.distribute.schema.keys import OURS
from testbed.tasks.distribute.trials import hosts_of, settings_of
from testbed.values.findings import Finding, KeyPath

SECONDS: Final = 30
"""How long finding one client may take, with all that its adapter imports, and running it for its version."""
_MEMORY: Final = 2 << 30
TRACKER: Final[KeyPath] = ("tracker",)
_GRACE_SECONDS: Final = 5


class Found(NamedTuple):
    """What is known of a client: its name and version, and whether it can use the DHT; or what is wrong."""

    identity: str = ""
    problem: str = ""
    can_use_dht: bool = False
    encryptions: Sequence[str] = ()
    """The words that it understands for `encryption`."""


def client_findings(trials: Sequence[Trial], experiment: Path) -> Iterator[tuple[Trial, Finding]]:
    """Yield what is wrong with the other clients of these trials, at the keys that ask for them."""
    places = _places(trials)
    found = _find(trials, experiment)
    for name, of_name in places.items():
        for trial, path in of_name:
            if problem := found[name].problem:
                yield trial, Finding((*path, "application"), f"{name}: {problem}")
            elif hosts_of(trial).bootstrap is not None and path != TRACKER and not found[name].can_use_dht:
                advice = "write `discovery: tracker`, or take a client that can (docs/applications.md)"
                yield trial, Finding((*path, "application"), f"{name} cannot be told to use the DHT: {advice}")
            elif problem := _refused_encryption(trial, path, found[name]):
                yield trial, Finding((*path, "encryption"), f"{name} {problem}")
            if trial.settings.time_scale != 1 and settings_of(trial).distribution == "bittorrent":
                scaled = (
                    f"{name} keeps its own periods, and only those of our client can be divided: leave this key out"
                )
                yield trial, Finding(("time_scale",), scaled)


def _refused_encryption(trial: Trial, path: KeyPath, found: Found) -> str:
    """Return why another client cannot treat encryption as a trial wants it, if it cannot."""
    choice = dict(groups_of(trial))[path].encryption if path != TRACKER else ""
    if not choice or choice in found.encryptions:
        return ""
    words = f", or write {' or '.join(found.encryptions)}" if found.encryptions else ""
    return f"cannot be told to treat encryption as {choice!r}: leave this key out{words}"


def encryption_findings(trials: Iterable[Trial]) -> Iterator[tuple[Trial, Finding]]:
    """Yield where our client is to encrypt and cannot."""
    if find_spec(RC4_PACKAGE) is not None:
        return
    install = f"install it with `{sys.executable} -m pip install {RC4_PACKAGE}`"
    for trial in trials:
        for path, host in groups_of(trial):
            if host.is_ours and host.encryption in {"prefer", "require"}:
                needs = f"our client needs the Python package {RC4_PACKAGE} to encrypt: {install}"
                yield trial, Finding((*path, "encryption"), needs)


def client_versions(trials: Sequence[Trial], experiment: Path) -> Mapping[str, str]:
    """Return the names and versions of all other clients of these trials, without those that are not there."""
    return {name: each.identity for name, each in _find(trials, experiment).items() if each.identity}


def _places(trials: Iterable[Trial]) -> dict[str, list[Place]]:
    places: dict[str, list[Place]] = {}
    for trial in trials:
        for path, name in _applications(trial):
            if name != OURS:
                places.setdefault(name, []).append((trial, path))
    return places


def _applications(trial: Trial) -> Iterator[tuple[KeyPath, str]]:
    yield from ((path, host.application) for path, host in groups_of(trial))
    tracker = hosts_of(trial).tracker
    if tracker is not None:
        yield TRACKER, tracker.application


def _find(trials: Sequence[Trial], experiment: Path) -> dict[str, Found]:
    modules = {name: text for trial in trials for name, text in trial.settings.modules.items()}
    by_module: dict[str, list[str]] = {}
    for name in _places(trials):
        by_module.setdefault(module_of(name), []).append(name)
    found: dict[str, Found] = {}
    for module, names in by_module.items():
        found |= _ask(names, modules if module else {}, experiment)
    return found


def _ask(names: Sequence[str], modules: Mapping[str, str], experiment: Path) -> dict[str, Found]:
    """Ask for adapters in one process. If one of them crashes or hangs, that is said of those that follow too."""
    found: dict[str, Found] = {}
    with user_code(modules, experiment) as code:
        question = {"adapters": names, **code.confinement(SECONDS, _MEMORY)}
        with Consultation("adapters", question) as peer:
            for answer in peer.answers(SECONDS + _GRACE_SECONDS):
                if answer["state"] != "begun":
                    told = answer.get("identity", ""), answer.get("problem", "")
                    can = answer.get("can_use_dht", False), answer.get("encryptions", ())
                    found[answer["adapter"]] = Found(*told, *can)
            crash = f"it does not end: it still runs after {SECONDS} s" if peer.was_stuck else peer.ending()
    return {name: found.get(name, Found(problem=crash)) for name in names}
