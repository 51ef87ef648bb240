"""`python -m peer.cli.relay`: the command line of the fluid scheme's programs."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

from contract.events import Joined, Opened
from peer.distribution.content import arriving
from peer.distribution.endings import EndError, ExitCode, exit_codes
from peer.distribution.fluid.plan import (
    SERVER,
    Plan,
    PlanError,
    parse_plan,
)
from peer.distribution.fluid.relay import Relay
from peer.net.listener import BACKLOG
from peer.process.program import (
    add_hold,
    bind,
    digest,
    live,
    open_diary,
    run,
    wait_until_told,
)
from peer.trace.recorder import Diary


def main(arguments: Sequence[str] | None = None) -> int:
    """Take part as the arguments say."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.to is not None and (chosen.who == SERVER or chosen.sha1 is None):
        parser.error("--to: is for peers, and needs --sha1")
    return run("relay", lambda: take_part(chosen))


async def take_part(chosen: argparse.Namespace) -> None:
    """Give, fetch and relay until all is done, or SIGTERM or SIGINT."""
    plan = _read_plan(chosen.plan, chosen.who)
    with (
        open_diary(chosen.trace, "fluid") as diary,
        arriving(to=chosen.to, original=chosen.original, digest=chosen.sha1, length=plan.length) as arrival,
    ):
        relay = Relay(plan, chosen.who, diary, Random(chosen.seed), arrival)
        bound = bind(plan.address(chosen.who), "is it this host's? The plan says so")
        if chosen.hold:
            bound.listen(BACKLOG)  # those that are told a moment earlier than we are can connect
            await wait_until_told(plan.address(chosen.who))
        _tell_beginning(diary, plan, chosen.who, relay.have_count)
        await live(diary, relay.run(bound), lambda: relay.have_count)


def _tell_beginning(diary: Diary, plan: Plan, who: int, have_count: int) -> None:
    diary.tell(Joined("server" if who == SERVER else f"peer {who}", "", plan.address(who).port))
    diary.tell(Opened("", plan.length, plan.block, plan.block_count, have_count))


def _read_plan(path: Path, who: int) -> Plan:
    try:
        plan = parse_plan(path.read_text())
    except OSError as error:
        raise EndError(ExitCode.NO_PLAN, f"cannot read the plan {path}: {error.strerror}") from error
    except (PlanError, UnicodeDecodeError) as error:
        raise EndError(ExitCode.NO_PLAN, f"the plan {path}: {error}") from error
    if who > len(plan.peers):
        raise EndError(ExitCode.NO_PLAN, f"the plan {path}: has {len(plan.peers)} peers; there is no peer {who}")
    return plan


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m peer.cli.relay",
        description="Take part in the scheme that attains the bound, as the server or as a peer. It prints:\n"
        "  ready HOST:PORT     it listens\n"
        "  completed           all has come and is right (peers)\n"
        "It ends when it has all, and all others have from it what they should.",
        epilog=exit_codes(*(code for code in ExitCode if code is not ExitCode.GAVE_UP)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("plan", type=Path, metavar="PLAN", help="streams, rates and addresses as JSON: see docs/baselines.md")
    add("--as", type=_who, dest="who", required=True, metavar="WHO", help="`server`, or a peer's number: 1 ... N")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument(
        "--original", type=Path, metavar="FILE", help="the server's file; what a peer compares with and relays from"
    )
    place.add_argument("--to", type=Path, metavar="FILE", help="where a peer keeps the file and relays from")
    add("--sha1", type=digest, metavar="HEX", help="with --to: the SHA-1 that the file must have")
    add("--trace", type=Path, metavar="FILE", help="append what happens as JSON lines")
    add("--seed", type=int, metavar="N", help="seed of the random part of waits (default: a new one each time)")
    add_hold(parser)
    return parser


def _who(text: str) -> int:
    if text == "server":
        return SERVER
    if text.isascii() and text.isdecimal() and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"expected `server` or a number from 1 on, found {text!r}")


if __name__ == "__main__":
    sys.exit(main())
