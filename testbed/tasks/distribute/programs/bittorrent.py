"""BitTorrent: our tracker, and our peer as seed and as leech (docs/peer.md, docs/tracker.md)."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from contract.events import Announced
from testbed.errors import TrialError
from testbed.experiment.plan.trials import Trial
from testbed.tasks.distribute.plan.records import (
    PlannedBootstrap,
    PlannedDeparture,
    PlannedPeer,
    PlannedServer,
    PlannedTracker,
)
from testbed.tasks.distribute.programs.payload_file import payload_file
from testbed.tasks.distribute.schema.keys import OPENTRACKER
from testbed.tasks.distribute.trials import hosts_of, settings_of
from testbed.tasks.launches import READY_LINE, WAITING_LINE, Launch, TrialContext
from testbed.values.parts import Parameter

TRACKER_PORT: Final = 6969
DHT_PORT: Final = 6881
_ANNOUNCE_SECONDS: Final = 1800
"""The interval between announcements. As a period of the protocol it is divided by the time scale."""
_TORRENT: Final = "file.torrent"
_INFO_HASH: Final = "info-hash"
_MODULES: Final = "modules"
_OTHER_CLIENTS: Final = "clients"
_BOOTSTRAP: Final = "bootstrap.json"


def prepare(context: TrialContext) -> None:
    """Write the torrent, what the first node of the DHT is, and the modules that come with the experiment."""
    _make_torrent(context)
    if (first := hosts_of(context.trial).bootstrap) is not None:
        node = {"overlay": "kademlia", "address": _bootstrap_address(context, first), "seed": first.seed}
        (context.folder / _BOOTSTRAP).write_text(json.dumps(node), encoding="utf-8")
    write_modules(context.trial.settings.modules, context.folder / _MODULES)


def _make_torrent(context: TrialContext) -> None:
    words = [
        *(payload_file(context), "--out", context.folder / _TORRENT),
        *("--piece-length", settings_of(context.trial).piece_length),
        *_introduced_by(context),
    ]
    command = [sys.executable, "-m", "peer", "create", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TrialError(f"the torrent could not be made: {done.stderr.strip()}")
    (context.folder / _INFO_HASH).write_text(done.stdout.strip())


def write_modules(modules: Mapping[str, str], folder: Path) -> None:
    """Write modules, given by their names, below a folder in which Python finds them."""
    for name, text in modules.items():
        file = folder / module_file(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def module_file(name: str) -> Path:
    """Return the file of a module, relative to the folder in which Python finds it."""
    return Path(*name.split(".")).with_suffix(".py")


def _introduced_by(context: TrialContext) -> Iterator[str]:
    """Yield the options of the tracker and of the node to join the DHT by: a torrent has one of them at least."""
    tracker, first = hosts_of(context.trial).tracker, hosts_of(context.trial).bootstrap
    if tracker is None and first is None:
        raise TrialError("BitTorrent needs a tracker or a DHT, and the plan has none")
    if tracker is not None:
        yield from ("--tracker", f"{tracker.kind}://{context.addresses[tracker.name]}:{TRACKER_PORT}/announce")
    if first is not None:
        yield from ("--dht-node", _bootstrap_address(context, first))


def _bootstrap_address(context: TrialContext, planned: PlannedBootstrap) -> str:
    return f"{context.addresses[planned.name]}:{DHT_PORT}"


def tracker(context: TrialContext, planned: PlannedTracker) -> Launch:
    """Launch the tracker. The log of ours takes the place of a trace."""
    if planned.application == OPENTRACKER:
        return _opentracker(context, planned)
    words: dict[str, object] = {
        "bind": context.addresses[planned.name],
        "port": TRACKER_PORT,
        "interval": announce_interval(context.trial.settings.time_scale),
        "numwant": planned.numwant,
        "seed": context.trial.seed,
        "log": context.trace(planned),
    }
    shown = () if planned.seeds_meet_seeds else ("--no-seeds-meet-seeds",)
    return Launch(("peer", "tracker", *_options(words), *shown), READY_LINE)


def _opentracker(context: TrialContext, planned: PlannedTracker) -> Launch:
    """Launch opentracker. Its interval cannot be set; it is that of ours, 30 minutes."""
    words: dict[str, object] = {
        "info-hash": (context.folder / _INFO_HASH).read_text(),
        "folder": context.folder / _OTHER_CLIENTS,
        "bind": context.addresses[planned.name],
        "port": TRACKER_PORT,
    }
    return Launch(("peer", "service", OPENTRACKER, *_options(words)), READY_LINE)


def bootstrap(context: TrialContext, planned: PlannedBootstrap) -> Launch:
    """Launch the node by which others join the DHT. It knows nobody, and keeps what they announce."""
    words = (context.folder / _BOOTSTRAP, "--trace", context.trace(planned))
    return Launch(("peer", "node", *words), READY_LINE)


def announce_interval(time_scale: float) -> int:
    """Return the seconds between two announcements."""
    return max(1, round(_ANNOUNCE_SECONDS / time_scale))


def seed(context: TrialContext, planned: PlannedServer) -> Launch:
    """Launch our peer as a seed. It is ready when the tracker or the DHT knows it, so that leeches find it at once."""
    files = (context.folder / _TORRENT, "--data", payload_file(context))
    return Launch(("peer", "seed", *files, *_common(context, planned)), READY_LINE, settled=Announced.event)


def leech(context: TrialContext, planned: PlannedPeer) -> Launch:
    """Launch our peer as a leech. It verifies what it receives and stores nothing: it serves from the original."""
    words: dict[str, object] = {"storage": "shared", "original": payload_file(context), "have": planned.held or None}
    words |= {
        "departure": departure_text(planned.departure),
        "return-bind": context.return_addresses.get(planned.name),
    }
    options = (*_options(words), *_common(context, planned), "--wait-for-start")
    return Launch(("peer", "leech", context.folder / _TORRENT, *options), WAITING_LINE, waits_for_start=True)


def other_seed(context: TrialContext, planned: PlannedServer) -> Launch:
    """Launch another client as a seed. It is ready when the tracker knows it; without one, when it has its file."""
    return Launch(_other(context, planned, "seed"), READY_LINE)


def other_leech(context: TrialContext, planned: PlannedPeer) -> Launch:
    """Launch another client as a leech, with a copy of the file of its own."""
    departure = _options({"departure": departure_text(planned.departure)})
    argv = (*_other(context, planned, "leech"), *departure, "--wait-for-start")
    return Launch(argv, WAITING_LINE, waits_for_start=True)


def _other(context: TrialContext, planned: PlannedServer, role: str) -> tuple[str | Path, ...]:
    """Return the command line of the program that runs and watches another client."""
    words: dict[str, object] = {
        "original": payload_file(context),
        "folder": context.folder / _OTHER_CLIENTS,
        "adapters": _modules(context),
        "bind": context.addresses[planned.name],
        "upload-limit": f"{planned.up}bit/s" if planned.up else None,
        "encryption": planned.encryption or None,
        "trace": context.trace(planned),
    }
    return ("peer", "client", planned.application, role, context.folder / _TORRENT, *_options(words), *_dht(context))


def _dht(context: TrialContext) -> tuple[str, ...]:
    """Return the option that makes a client a node of the DHT; whom it joins by is in the torrent."""
    return ("--dht",) if hosts_of(context.trial).bootstrap is not None else ()


def _modules(context: TrialContext) -> Path | None:
    """Return the folder of the modules that come with the experiment, if there are any."""
    return context.folder / _MODULES if context.trial.settings.modules else None


def _common(context: TrialContext, planned: PlannedServer) -> list[str]:
    """Return the options that seeds and leeches have in common.

    A peer knows the rate of its uplink, as users enter it in their clients. As a limit it is never reached: it counts
    blocks, and the link counts frames.
    """
    settings = settings_of(context.trial)
    words: dict[str, object] = {
        "bind": context.addresses[planned.name],
        "upload-limit": f"{planned.up}bit/s" if planned.up else None,
        "encryption": planned.encryption or None,
        "profile": planned.profile,
        "time-scale": settings.time_scale,
        "strategies": _modules(context),
        "strategy": planned.strategy.name,
        "trace": context.trace(planned),
        "level": settings.trace_level,
        "seed": planned.seed,
    }
    parameters = (word for each in parameter_words(planned) for word in ("--set", each))
    return [*_options(words), *parameters, *_dht(context)]


def _options(words: dict[str, object]) -> list[str]:
    return [word for name, value in words.items() if value is not None for word in (f"--{name}", str(value))]


def check(trial: Trial) -> None:
    """Raise TrialError for a parameter of a strategy that does not fit on a command line."""
    for planned in (*hosts_of(trial).servers, *hosts_of(trial).peers):
        list(parameter_words(planned))


def parameter_words(planned: PlannedServer) -> Iterator[str]:
    """Yield the parameters of a host's strategy as the values of `--set`."""
    for name, value in planned.strategy.parameters.items():
        yield f"{name}={_word(name, value)}"


def _word(name: str, value: Parameter) -> str:
    if isinstance(value, list):
        raise TrialError(f"the strategy's parameter {name!r} is a list: write one value")
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value)


def departure_text(departure: PlannedDeparture) -> str | None:
    """Return the value of `--departure`; None for a peer that stays, or whose strategy decides."""
    match departure.kind:
        case "stay":
            return None
        case "at-completion":
            return "at-completion"
        case "after":
            return f"after {departure.seconds:.6f} s"
        case "linger":
            return f"{departure.seconds:.6f} s after completion"
        case "share_ratio":
            return f"at ratio {departure.ratio:.6f}"
        case "mid_way":
            return f"at {100 * (departure.share or 0):.6f} % for {departure.seconds:.6f} s"
