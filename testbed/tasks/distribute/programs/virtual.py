"""A distribution in virtual time: the description that `python -m peer simulate` reads, and what its answers mean.

Links carry payload only, so their rates are reduced by the share of headers in full frames. Clients know the same rate
of their uplink as in a measured trial.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from testbed.errors import TrialError
from testbed.experiment.plan.trials import Trial
from testbed.tasks.consultation import Answer, Consultation, Line
from testbed.tasks.distribute.plan.records import PlannedPeer, PlannedServer
from testbed.tasks.distribute.programs.bittorrent import announce_interval
from testbed.tasks.distribute.programs.strategies import Use
from testbed.tasks.distribute.programs.user_code import UserCode, module_of, user_code
from testbed.tasks.distribute.trials import hosts_of, settings_of
from testbed.tasks.rehearsal import CodeLine, Ended, Failed, Happening, Participant, Print, Running
from testbed.theory import payload_share

SECONDS: Final = 5
"""How long one decision of a strategy may take."""
_GRACE_SECONDS: Final = 10
"""How long to wait in addition for a program that should have ended itself."""
_MEMORY: Final = 4 << 30
_WITHOUT_CORES: Final = "star"
"""The topology in which only access links limit."""


def check_virtual(trial: Trial) -> None:
    """Raise TrialError for what virtual time does not have."""
    reasons = list(_missing(trial))
    if reasons:
        raise TrialError(f"virtual time has no {' and no '.join(reasons)}: `testbed run` measures such a trial")


def _missing(trial: Trial) -> Iterator[str]:
    hosts = (*hosts_of(trial).servers, *hosts_of(trial).peers)
    if settings_of(trial).distribution != "bittorrent":
        yield f"{settings_of(trial).distribution}, only BitTorrent"
    if others := sorted({host.application for host in hosts} - {"ours"}):
        yield f"other clients ({', '.join(others)})"
    if trial.settings.topology.reference != _WITHOUT_CORES:
        yield f"topology {trial.settings.topology.reference}, only {_WITHOUT_CORES}"
    if hosts_of(trial).bootstrap is not None:
        yield "DHT"
    if any(host.killed_at is not None for host in hosts_of(trial).all):
        yield "`failures:`"
    for key in ("loss", "jitter", "encryption"):
        if any(getattr(host, key) for host in hosts):
            yield f"`{key}:`"


def rehearse(trial: Trial, experiment: Path, prints: Print) -> Iterator[Happening]:
    """Perform a trial of an experiment file in virtual time."""
    with user_code(trial.settings.modules, experiment) as code:
        question = {**description(trial), **code.confinement(SECONDS, _MEMORY)}
        with Consultation("simulate", question, prints) as peer:
            yield from _Rehearsal(trial, code).happenings(peer)


def description(trial: Trial) -> dict[str, Any]:
    """Return a trial as values for the peer: rates in bytes/s, times in seconds."""
    settings, tracker = settings_of(trial), hosts_of(trial).tracker
    if tracker is None:
        raise TrialError("BitTorrent needs a tracker, and the plan has none")
    return {
        "length": settings.file_size,
        "piece_length": settings.piece_length,
        "seed": trial.seed,
        "numwant": tracker.numwant,
        "seeds_meet_seeds": tracker.seeds_meet_seeds,
        "announce_interval": announce_interval(settings.time_scale),
        "time_limit": settings.time_limit,
        "peers": [_peer(host, trial) for host in (*hosts_of(trial).servers, *hosts_of(trial).peers)],
    }


def _peer(planned: PlannedServer, trial: Trial) -> dict[str, Any]:
    peer = planned if isinstance(planned, PlannedPeer) else None
    return {
        **asdict(Use.of(planned, trial)),
        "name": planned.name,
        "seed": planned.seed,
        "up": _payload(planned.up),
        "down": _payload(planned.down),
        "capacity": None if planned.up is None else planned.up / 8,
        "delay": planned.delay,
        "is_server": peer is None,
        "arrival": peer.arrival if peer else 0.0,
        "held": peer.held if peer else 0.0,
        "moves": peer is not None and peer.departure.kind == "mid_way",
    }


def _payload(rate: int | None) -> float | None:
    return None if rate is None else rate / 8 * payload_share()


class _Rehearsal:
    """What the answers about one trial mean."""

    def __init__(self, trial: Trial, code: UserCode) -> None:
        hosts = hosts_of(trial)
        self._trial: Final = trial
        self._code: Final = code
        self._groups: Final = {host.name: "servers" for host in hosts.servers} | {p.name: p.group for p in hosts.peers}
        self._strategies: Final = {host.strategy.name for host in (*hosts.servers, *hosts.peers)}
        self._now = 0.0

    def happenings(self, peer: Consultation) -> Iterator[Happening]:
        """Yield what happens, up to the end or a failure."""
        for answer in peer.answers(SECONDS + _GRACE_SECONDS):
            self._now = answer["now"]
            happening = self._happening(answer)
            yield happening
            if not isinstance(happening, Running):
                return
        yield self._crash(peer)

    def _happening(self, answer: Answer) -> Happening:
        match answer["state"]:
            case "running":
                names = (planned.name for planned in hosts_of(self._trial).peers)
                return Running(self._now, dict(zip(names, answer["shares"], strict=True)))
            case "ended":
                return Ended(self._now, answer["stopped"], [self._participant(each) for each in answer["peers"]])
            case _:
                lines = [Line(Path(file), number, function) for file, number, function in answer["lines"]]
                return self._failed(answer["peer"], answer["problem"], lines)

    def _participant(self, result: Mapping[str, Any]) -> Participant:
        return Participant(group=self._groups[result["name"]], **result)

    def _crash(self, peer: Consultation) -> Failed:
        """Say how the program ended without an answer; its traceback has the innermost line first."""
        modules = [module for module in map(module_of, self._strategies) if module]
        own = self._code.own(peer.traceback, modules)
        problem = f"one decision takes longer than {SECONDS} s" if peer.was_stuck else peer.ending()
        return self._failed("", problem, own[::-1])

    def _failed(self, who: str, problem: str, lines: list[Line]) -> Failed:
        told = [CodeLine(self._code.place(line), self._text(line)) for line in lines]
        return Failed(who, self._groups.get(who, ""), self._now, problem, told)

    def _text(self, line: Line) -> str:
        """Return what is written in a line of a module that came with the experiment."""
        if not line.file.is_relative_to(self._code.copies):
            return ""
        name = ".".join(line.file.relative_to(self._code.copies).with_suffix("").parts)
        written = self._trial.settings.modules.get(name, "").splitlines()
        return written[line.number - 1].strip() if line.number <= len(written) else ""
