"""`python -m peer relay`: the server and the peers of the fluid scheme."""

import argparse
from pathlib import Path
from random import Random
from typing import Final

from contract.events import Joined, Opened
from contract.wording import counted
from peer.distribution.content import arriving
from peer.distribution.fluid.plan import (
    SERVER,
    Plan,
    PlanError,
    parse_plan,
)
from peer.distribution.fluid.relay import Relay
from peer.distribution.program import open_recorder, work_until_end
from peer.net.listener import BACKLOG
from peer.process import program
from peer.process.arguments import (
    add_seed,
    add_start_gate,
    add_trace,
    digest,
)
from peer.process.exit_status import ExitStatus, ProgramError, exit_codes
from peer.process.signals import EndSignals, wait_for_start
from peer.trace.recorder import TraceRecorder

DESCRIPTION: Final = """\
Be the server or a peer of the fluid scheme, which attains the bound. It prints:
  ready HOST:PORT     it listens on this address
  completed           the whole file has arrived and is correct (peers only)
It ends when it has received all blocks and sent all that others need from it.
"""
EPILOG: Final = exit_codes(
    *(ExitStatus.OK, ExitStatus.USAGE, ExitStatus.NO_ADDRESS, ExitStatus.NO_TRACE),
    *(ExitStatus.NO_TORRENT_OR_PLAN, ExitStatus.NO_DATA, ExitStatus.WRONG_DATA),
)


def add_to(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "plan",
        type=Path,
        metavar="PLAN",
        help="a JSON file with streams, rates and addresses, see docs/distribution.md",
    )
    add("--as", type=_who, dest="who", required=True, metavar="WHO", help="`server`, or a peer's number: 1 ... N")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument(
        "--original",
        type=Path,
        metavar="FILE",
        help="the file that the server sends; peers compare with it and relay from it",
    )
    place.add_argument("--to", type=Path, metavar="FILE", help="the file that a peer writes and relays from")
    add("--sha1", type=digest, metavar="HEX", help="with --to: the expected SHA-1 of the file")
    add_trace(parser)
    add_seed(parser, "the random part of waiting times")
    add_start_gate(parser)


def run(chosen: argparse.Namespace) -> int:
    if chosen.to is not None and (chosen.who == SERVER or chosen.sha1 is None):
        raise ProgramError(ExitStatus.USAGE, "--to is for peers only, and needs --sha1")
    return program.run(lambda signals: _take_part(chosen, signals))


async def _take_part(chosen: argparse.Namespace, signals: EndSignals) -> ExitStatus:
    plan = _read_plan(chosen.plan, chosen.who)
    with (
        open_recorder(chosen.trace, "fluid") as recorder,
        arriving(to=chosen.to, original=chosen.original, digest=chosen.sha1, length=plan.length) as arrival,
    ):
        address = plan.address(chosen.who)
        relay = Relay(plan, chosen.who, recorder, Random(chosen.seed), arrival)
        bound = program.bind(address, "cannot use the address", "the plan assigns it to this program")
        if chosen.wait_for_start:
            bound.listen(BACKLOG)  # so that programs which start a moment earlier can connect
            await wait_for_start(address, signals)
        _record_start(recorder, plan, chosen.who, relay.have_count)
        return await work_until_end(relay.run(bound), signals, recorder, lambda: relay.have_count)


def _record_start(recorder: TraceRecorder, plan: Plan, who: int, have_count: int) -> None:
    recorder.record(Joined("server" if who == SERVER else f"peer {who}", "", plan.address(who).port))
    recorder.record(Opened("", plan.length, plan.block, plan.block_count, have_count))


def _read_plan(path: Path, who: int) -> Plan:
    try:
        plan = parse_plan(path.read_text())
    except OSError as error:
        problem = f"cannot read the plan {path}: {error.strerror}"
        raise ProgramError(ExitStatus.NO_TORRENT_OR_PLAN, problem) from error
    except (PlanError, UnicodeDecodeError) as error:
        raise ProgramError(ExitStatus.NO_TORRENT_OR_PLAN, f"the plan {path}: {error}") from error
    if who > len(plan.peers):
        problem = f"the plan {path} has {counted(len(plan.peers), 'peer')}; there is no peer {who}"
        raise ProgramError(ExitStatus.NO_TORRENT_OR_PLAN, problem)
    return plan


def _who(text: str) -> int:
    if text == "server":
        return SERVER
    if text.isascii() and text.isdecimal() and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"expected `server` or a number of 1 or more, found {text!r}")
