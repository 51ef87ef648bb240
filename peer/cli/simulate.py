"""`python -m peer simulate`: perform a trial in virtual time."""

import argparse
import signal
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from time import monotonic
from types import FrameType
from typing import Any, Final, NoReturn

from peer.bittorrent.strategies.api import StrategyError
from peer.bittorrent.strategies.faults import Fault, fault_of, frames_of, outwards, running_lines
from peer.bittorrent.strategies.registry import module_of
from peer.cli.strategies import parameters_of
from peer.process.confinement import Answers, Confinement, confine, read_question
from peer.process.exit_status import ExitStatus, exit_codes
from peer.simulation.trial import VirtualTrial, make_trial, owner_of

DESCRIPTION: Final = """\
Perform a trial in virtual time: the same strategies and sessions as in `seed` and `leech`, on links of arithmetic.
Standard input is a JSON object; `testbed try` writes it.
"""
EPILOG: Final = (
    "It prints lines of JSON on standard output:\n"
    '  {"state": "running", "now": T, "shares": [...]}   a few times a second\n'
    '  {"state": "ended", "now": T, "stopped": WHY, "peers": [...]}\n'
    '  {"state": "raised" or "stuck", "now": T, "peer": NAME, "problem": WHY, "lines": [[FILE, LINE, FUNCTION]]}\n\n'
    + exit_codes(ExitStatus.OK, ExitStatus.USAGE)
)
_PROGRESS_SECONDS: Final = 0.2
_STILL_STEPS: Final = 4
"""Virtual time may stand still for so many times the seconds of one step: many things happen at the same moment."""


def add_to(parser: argparse.ArgumentParser) -> None:
    """There are no options."""


def run(_: argparse.Namespace) -> int:
    question = read_question("a trial")
    confinement = Confinement.of(question)
    answers = confine(confinement)
    modules = {module_of(each["strategy"]) for each in question["peers"]} - {""}
    performance = _Performance(answers, confinement.seconds, modules)
    try:
        performance.perform(question)
    except StrategyError as error:
        performance.tell("raised", error.fault, frames_of(error))
    except BaseException as error:  # the authors' code may raise anything, SystemExit too
        performance.tell("raised", fault_of(error, modules), frames_of(error))
    answers.end()


class _Performance:
    """A trial that is being performed, and what is told of it."""

    def __init__(self, answers: Answers, seconds: float, modules: Collection[str]) -> None:
        """A step that takes longer than `seconds` is stuck; `modules` are those of users."""
        self._answers: Final = answers
        self._seconds: Final = seconds
        self._modules: Final = modules
        self._trial: VirtualTrial | None = None
        self._looks_at = 0.0
        self._moment = -1.0
        """The virtual time that it was at the last look, and since when (`_since`) it has been that time."""
        self._since = 0.0

    def perform(self, question: Mapping[str, Any]) -> None:
        """Perform the trial, and tell how it ended."""
        signal.signal(signal.SIGALRM, self._got_stuck)
        self._expect_progress()
        self._trial = trial = make_trial(question, parameters_of)
        stopped = trial.run(self._watch)
        self._expect_no_progress()
        self._answers.tell({"state": "ended", "now": trial.swarm.now, "stopped": stopped, "peers": trial.results()})

    def tell(self, state: str, fault: Fault, frames: Sequence[FrameType]) -> None:
        """Tell a fault, and who was deciding; the innermost frame is the first."""
        trial = self._trial
        peers = trial.swarm.peers.values() if trial else ()
        told = {"state": state, "now": trial.swarm.now if trial else 0.0, "peer": owner_of(frames, peers)}
        self._answers.tell({**told, **asdict(fault)})

    def _watch(self) -> bool:
        """Look at the time after each event, which must cost next to nothing."""
        if monotonic() >= self._looks_at:
            self._look()
        return False

    def _look(self) -> None:
        now, trial = monotonic(), self._trial
        if trial is None:
            return
        self._looks_at = now + _PROGRESS_SECONDS
        self._expect_no_progress()  # whoever reads the answers may have been stopped
        self._answers.tell({"state": "running", "now": trial.swarm.now, "shares": trial.shares()})
        self._expect_progress()
        if trial.swarm.now != self._moment:
            self._moment, self._since = trial.swarm.now, now
        elif now - self._since > _STILL_STEPS * self._seconds:
            self._end_stuck(Fault("time stands still: there is more and more to do at this moment"), [])

    def _expect_progress(self) -> None:
        """Set the alarm, and behind it one that ends code to which Python cannot deliver a signal."""
        signal.setitimer(signal.ITIMER_REAL, self._seconds)
        self._answers.expect_progress(self._seconds + 2)

    def _expect_no_progress(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._answers.expect_no_progress()

    def _got_stuck(self, _: int, frame: FrameType | None) -> None:
        lines = running_lines(frame, self._modules)
        self._end_stuck(Fault(f"one decision takes longer than {self._seconds:g} s", lines=lines), outwards(frame))

    def _end_stuck(self, fault: Fault, frames: Sequence[FrameType]) -> NoReturn:
        self.tell("stuck", fault, frames)
        self._answers.end()
