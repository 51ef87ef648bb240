"""The programs of a trial, each with its host, from its start to why it ended."""

import signal
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from testbed.experiment.plan.trials import PlannedHost, PlannedPeer
from testbed.network import Network, Process, ProcessError
from testbed.network.processes.processes import stop_all
from testbed.tasks.distribute.programs import application_of, scheme_of
from testbed.trial.applications.launch import Launch, Stage
from testbed.trial.errors import TrialError
from testbed.trial.monitoring.traces import await_event

Role = Literal["server", "tracker", "peer"]

START_SECONDS: Final = 60.0
"""So long a program may take until it is ready: hundreds may start at the same time."""
LEAVE_SECONDS: Final = 5.0
"""So long a program may take to end when it is asked to; ours take 2 s at most, for trackers that do not answer."""
_COMPLAINT_CHARACTERS: Final = 400


@dataclass(frozen=True)
class Ending:
    """How a program ended; `why` is empty where all was well."""

    exit_code: int | None
    signal: str | None
    why: str


class Player:
    """A program on its host."""

    def __init__(self, planned: PlannedHost, role: Role, launch: Launch, trace: Path) -> None:
        self.planned = planned
        self.role: Role = role
        self.launch = launch
        self.trace = trace
        self.has_completed = False
        self.begun_at: float | None = None
        """When it was told to begin, or was ready where nobody has to tell it."""
        self._process: Process | None = None
        self._heard = 0
        self._problem = ""
        self._was_stopped = False

    @property
    def name(self) -> str:
        """Its host's name."""
        return self.planned.name

    @property
    def arrival(self) -> float:
        """When it is to join, in seconds after t = 0."""
        return self.planned.arrival if isinstance(self.planned, PlannedPeer) else 0.0

    @property
    def pid(self) -> int | None:
        """The process, if there is one."""
        return None if self._process is None else self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it runs no more, or never did."""
        return self._process is None or self._process.poll() is not None

    @property
    def is_done(self) -> bool:
        """Whether nothing more is to be expected of it."""
        return self.has_completed or self.has_ended

    def start(self, network: Network, folder: Path) -> None:
        """Start the program; what it prints goes to the folder."""
        self._process = self.launch.start(network.host(self.name), folder / self.name)

    def wait_ready(self) -> None:
        """Wait until it is; raises ProcessError if it will not be."""
        if self._process is None:
            raise ProcessError(f"{self.name} was not started")
        self._process.wait_ready(self.launch.ready, timeout=START_SECONDS)
        if self.launch.settled is not None:
            await_event(self.trace, self.launch.settled, START_SECONDS, self._process)

    def could_not_start(self, error: ProcessError) -> None:
        """Note that it never became ready."""
        self._problem = f"did not start: {self.complaint or error}"

    def begin(self, now: float) -> None:
        """Tell a program that is held to begin."""
        self.begun_at = now
        if self._process is not None and self.launch.is_held:
            self._process.send_signal(signal.SIGUSR1)

    def look(self) -> None:
        """See whether it has said that the whole file is there; what it has said is read when there is more of it."""
        if self._process is None or self.has_completed:
            return
        size = self._process.stdout_path.stat().st_size
        if size != self._heard:
            self._heard = size
            self.has_completed = f"{self.launch.completed}\n" in self._process.stdout

    def about_to_stop(self) -> Process | None:
        """Return what is to be stopped now, and remember that we did it."""
        self.look()
        self._was_stopped = not self.has_ended
        return self._process

    @property
    def complaint(self) -> str:
        """The end of what it printed on standard error."""
        if self._process is None:
            return ""
        with suppress(OSError):
            return self._process.stderr.strip()[-_COMPLAINT_CHARACTERS:]
        return ""

    def ending(self, seconds: float) -> Ending:
        """Say how it ended; the trial took so many seconds."""
        status = None if self._process is None else self._process.poll()
        exit_code = status if status is not None and status >= 0 else None
        name = signal.Signals(-status).name if status is not None and status < 0 else None
        return Ending(exit_code, name, self._problem or self._why(exit_code, name, seconds))

    def _why(self, exit_code: int | None, signal_name: str | None, seconds: float) -> str:
        if self.begun_at is None and self.role == "peer":
            return f"was to join after {self.arrival:g} s, when the trial was over"
        if signal_name is not None:
            return f"did not end when asked: {signal_name}" if self._was_stopped else f"was killed: {signal_name}"
        if exit_code:
            last = self.complaint.rpartition("\n")[2]
            return f"ended with exit status {exit_code}" + (f": {last}" if last else "")
        if self.role != "peer":
            return "" if self._was_stopped or self.launch.may_end else "ended before the trial did"
        if self.has_completed:
            return ""
        return f"was not done after {seconds:.0f} s" if self._was_stopped else "left before it had everything"


@dataclass(frozen=True)
class Troupe:
    """All programs of a trial, in the order in which they start."""

    tracker: tuple[Player, ...]
    """One, or none."""
    servers: tuple[Player, ...]
    peers: tuple[Player, ...]

    def __iter__(self) -> Iterator[Player]:
        return iter((*self.tracker, *self.servers, *self.peers))


def troupe_of(stage: Stage) -> Troupe:
    """Return the programs that a trial needs, not started yet."""
    trial, scheme = stage.trial, scheme_of(stage.trial)
    hosts = trial.hosts
    tracker = (
        [Player(hosts.tracker, "tracker", scheme.tracker(stage, hosts.tracker), stage.trace(hosts.tracker))]
        if hosts.tracker and scheme.tracker
        else []
    )
    servers = (
        Player(server, "server", application_of(trial, server).server(stage, server), stage.trace(server))
        for server in hosts.servers
    )
    peers = (
        Player(peer, "peer", application_of(trial, peer).peer(stage, peer), stage.trace(peer)) for peer in hosts.peers
    )
    return Troupe(tuple(tracker), tuple(servers), tuple(peers))


def start_needed(players: Iterable[Player], network: Network, folder: Path) -> None:
    """Start programs without which there is no trial, and wait until they are ready; raises TrialError."""
    for player in players:
        player.start(network, folder)
    for player in players:
        try:
            player.wait_ready()
        except ProcessError as error:
            raise TrialError(
                f"the {player.role} on {player.name} did not start: {player.complaint or error}"
            ) from error


def start_peers(peers: Iterable[Player], network: Network, folder: Path) -> None:
    """Start all peers and wait until those that can be are ready; raises TrialError if none is."""
    peers = list(peers)
    for peer in peers:
        peer.start(network, folder)
    for peer in peers:
        try:
            peer.wait_ready()
        except ProcessError as error:
            peer.could_not_start(error)
    if all(peer.has_ended for peer in peers):
        raise TrialError(f"no peer started; {peers[0].name}: {peers[0].ending(0).why}")


def pids(players: Iterable[Player]) -> list[int]:
    """Return the processes that run."""
    return [player.pid for player in players if player.pid is not None and not player.has_ended]


def stop(troupe: Troupe) -> None:
    """Ask all to end: first peers and servers, who tell the tracker so."""
    for group in ((*troupe.peers, *troupe.servers), troupe.tracker):
        running = [process for player in group if (process := player.about_to_stop()) is not None]
        stop_all(running, LEAVE_SECONDS)
