"""Making every strategy of a plan once, before anything is built: only the peer knows them and their parameters.

The shipped strategies are made in one process, and those of each module of a user in another.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, Self, TypeAlias

from testbed.experiment.plan.trials import Trial
from testbed.tasks.consultation import Answer, Consultation, Line
from testbed.tasks.distribute.plan.records import PlannedPeer, PlannedServer
from testbed.tasks.distribute.programs.bittorrent import departure_text, parameter_words
from testbed.tasks.distribute.programs.user_code import UserCode, module_of, user_code
from testbed.tasks.distribute.trials import hosts_of
from testbed.values.findings import Finding, KeyPath

SECONDS: Final = 10
"""How long making one strategy may take, with everything that it imports."""
_MEMORY: Final = 2 << 30
_GRACE_SECONDS: Final = 5
"""How long to wait in addition for a process that should have ended itself."""

Place: TypeAlias = tuple[Trial, KeyPath]
Process: TypeAlias = tuple[str, tuple[str, ...]]
"""The user's module whose strategies are made there, and the modules that come with its trials."""


@dataclass(frozen=True)
class Use:
    """A strategy as some hosts of a plan use it, with the values of the peer's options."""

    strategy: str
    set: tuple[str, ...]
    departure: str | None
    profile: str
    time_scale: float

    @classmethod
    def of(cls, planned: PlannedServer, trial: Trial) -> Self:
        """Return how a host of a trial uses its strategy."""
        return cls(
            strategy=planned.strategy.name,
            set=tuple(parameter_words(planned)),
            departure=departure_text(planned.departure) if isinstance(planned, PlannedPeer) else None,
            profile=planned.profile,
            time_scale=trial.settings.time_scale,
        )


@dataclass
class _Uses:
    """The strategies of a plan, each once, and the keys of the experiment file that ask for them."""

    places: dict[Process, dict[Use, list[Place]]] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)

    def add(self, trial: Trial) -> None:
        self.modules.update(trial.settings.modules)
        for path, planned in _groups(trial):
            module = module_of(planned.strategy.name)
            process = (module, tuple(sorted(trial.settings.modules)) if module else ())
            uses = self.places.setdefault(process, {})
            uses.setdefault(Use.of(planned, trial), []).append((trial, path))


def _groups(trial: Trial) -> Iterator[tuple[KeyPath, PlannedServer]]:
    """Yield the key and one host of each group that runs our client."""
    yield from ((path, host) for path, host in groups_of(trial) if host.is_ours)


def groups_of(trial: Trial) -> Iterator[tuple[KeyPath, PlannedServer]]:
    """Yield the key and one host of each group."""
    for server in hosts_of(trial).servers[:1]:
        yield ("servers",), server
    one_of_each = {peer.group: peer for peer in hosts_of(trial).peers}
    yield from ((("peers", group), peer) for group, peer in one_of_each.items())


class _Refusal(NamedTuple):
    """What is wrong with a strategy, and its parameter to blame, if there is one."""

    text: str
    parameter: str = ""


def strategy_findings(trials: Iterable[Trial], experiment: Path) -> Iterator[tuple[Trial, Finding]]:
    """Make every strategy of the trials of an experiment file, and yield what is wrong with some."""
    uses = _Uses()
    for trial in trials:
        uses.add(trial)
    for (module, beside), places in uses.places.items():
        with user_code({name: uses.modules[name] for name in beside}, experiment) as code:
            for use, refusal in _refused(list(places), module, code):
                for trial, path in places[use]:
                    yield trial, _finding(path, use, refusal)


def _refused(uses: Sequence[Use], module: str, code: UserCode) -> Iterator[tuple[Use, _Refusal]]:
    """Make strategies in one process. If it hangs or crashes, those after that are not made."""
    question = {"strategies": [asdict(use) for use in uses], **code.confinement(SECONDS, _MEMORY)}
    number, state = 0, ""
    with Consultation("strategies", question) as peer:
        for answer in peer.answers(SECONDS + _GRACE_SECONDS):
            number, state = answer["number"], answer["state"]
            if state == "refused":
                yield uses[number], _refusal(answer, code)
        if state == "begun" or number + 1 < len(uses) or not state:
            yield uses[number], _crash(peer, module, code)


def _refusal(answer: Answer, code: UserCode) -> _Refusal:
    lines = [Line(Path(file), number, function) for file, number, function in answer["lines"]]
    return _Refusal(answer["problem"] + _where(lines, code), answer["parameter"])


def _crash(peer: Consultation, module: str, code: UserCode) -> _Refusal:
    """Say how a process ended before all was made. A traceback has the innermost line first."""
    own = code.own(peer.traceback, [module] if module else [])
    if peer.was_stuck:
        return _Refusal(f"it does not end: it still runs after {SECONDS} s" + _where(own[:1], code))
    return _Refusal(peer.ending() + _where(own[:1], code))


def _where(lines: Sequence[Line], code: UserCode) -> str:
    return f" ({code.place(lines[-1])})" if lines else ""


def _finding(path: KeyPath, use: Use, refusal: _Refusal) -> Finding:
    """Return a refusal at the key that is to blame."""
    written = [word.partition("=")[0] for word in use.set]
    key: KeyPath = (*path, "strategy")
    if refusal.parameter in written:
        key = (*key, refusal.parameter)
    elif refusal.parameter == "departure":
        key = (*path, "departure")
    return Finding(key, f"{use.strategy}: {refusal.text}")
