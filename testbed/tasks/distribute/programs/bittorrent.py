"""BitTorrent: our tracker, and our peer as seed and as leech (docs/peer.md, docs/tracker.md)."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Final

from testbed.experiment.plan.trials import (
    PlannedDeparture,
    PlannedPeer,
    PlannedServer,
    PlannedTracker,
    Trial,
)
from testbed.experiment.schema.hosts import Parameter
from testbed.trial.applications.launch import (
    READY,
    WAITING,
    Launch,
    Stage,
)
from testbed.trial.errors import TrialError

TRACKER_PORT: Final = 6969
_ANNOUNCE_SECONDS: Final = 1800
"""Between two announcements of a peer; a period of the protocol, and so divided by the time scale."""
_TORRENT: Final = "file.torrent"
_STRATEGIES: Final = "strategies"


def prepare(stage: Stage) -> None:
    """Write what peers are to be told by files."""
    _make_torrent(stage)
    _write_modules(stage)


def _make_torrent(stage: Stage) -> None:
    """Make the torrent of the file, with the tracker's address in it."""
    words = [
        *(stage.original, "--out", stage.folder / _TORRENT, "--tracker", _tracker_url(stage)),
        *("--piece-length", stage.trial.settings.piece_length),
    ]
    command = [sys.executable, "-m", "peer", "create", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TrialError(f"the torrent cannot be made: {done.stderr.strip()}")


def _write_modules(stage: Stage) -> None:
    """Write the strategies of the user's own where peers will look for them."""
    for name, text in stage.trial.settings.modules.items():
        file = stage.folder.joinpath(_STRATEGIES, *name.split(".")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _tracker_url(stage: Stage) -> str:
    tracker = _tracker_of(stage.trial)
    return f"{tracker.kind}://{stage.addresses[tracker.name]}:{TRACKER_PORT}/announce"


def _tracker_of(trial: Trial) -> PlannedTracker:
    if trial.hosts.tracker is None:
        raise TrialError("peers of BitTorrent need a tracker, and the plan has none")
    return trial.hosts.tracker


def tracker(stage: Stage, planned: PlannedTracker) -> Launch:
    """Our tracker; its log stands where others have their trace."""
    interval = max(1, round(_ANNOUNCE_SECONDS / stage.trial.settings.time_scale))
    words: dict[str, object] = {
        "bind": stage.addresses[planned.name],
        "port": TRACKER_PORT,
        "interval": interval,
        "numwant": planned.numwant,
        "seed": stage.trial.seed,
        "log": stage.trace(planned),
    }
    return Launch(("peer", "tracker", *_options(words)), READY)


def seed(stage: Stage, planned: PlannedServer) -> Launch:
    """Our peer that has everything: it is in the swarm before anybody looks for it."""
    files = (stage.folder / _TORRENT, "--data", stage.original)
    return Launch(("peer", "seed", *files, *_common(stage, planned)), READY, settled="announced")


def leech(stage: Stage, planned: PlannedPeer) -> Launch:
    """Our peer that wants the file; what it gets is verified, and served from the original."""
    words: dict[str, object] = {"storage": "shared", "original": stage.original, "have": planned.held or None}
    words |= {"departure": _departure(planned.departure), "return-bind": stage.return_addresses.get(planned.name)}
    options = (*_options(words), *_common(stage, planned), "--wait-for-start")
    return Launch(("peer", "leech", stage.folder / _TORRENT, *options), WAITING, is_held=True)


def _common(stage: Stage, planned: PlannedServer) -> list[str]:
    """Return what seeds and leeches are told alike.

    They know the rate of their uplink, as users tell their clients. As a limit it is never reached: it counts blocks,
    the link counts frames.
    """
    settings = stage.trial.settings
    words: dict[str, object] = {
        "bind": stage.addresses[planned.name],
        "upload-limit": f"{planned.up}bit/s" if planned.up else None,
        "profile": planned.profile,
        "time-scale": settings.time_scale,
        "strategies": stage.folder / _STRATEGIES if settings.modules else None,
        "strategy": planned.strategy.name,
        "trace": stage.trace(planned),
        "level": settings.trace,
        "seed": planned.seed,
    }
    return [*_options(words), *_parameters(planned)]


def _options(words: dict[str, object]) -> list[str]:
    return [word for name, value in words.items() if value is not None for word in (f"--{name}", str(value))]


def check(trial: Trial) -> None:
    """Raise a TrialError for a parameter of a strategy that a command line cannot carry."""
    for planned in (*trial.hosts.servers, *trial.hosts.peers):
        list(_parameters(planned))


def _parameters(planned: PlannedServer) -> Iterator[str]:
    for name, value in planned.strategy.parameters.items():
        yield from ("--set", f"{name}={_word(name, value)}")


def _word(name: str, value: Parameter) -> str:
    if isinstance(value, list):
        raise TrialError(f"the strategy's parameter {name!r} is a list: write one value")
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _departure(departure: PlannedDeparture) -> str | None:
    """Say when to leave in the words of the peer; None for one that stays, or whose strategy says it."""
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
