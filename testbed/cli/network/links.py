"""`testbed links`: measure the links of a network."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

from contract.wording import counted
from testbed.cli.network.targets import Target, open_target
from testbed.cli.terminal.as_json import print_json
from testbed.cli.terminal.layout import Column, format_table, line_width, wrapped
from testbed.cli.terminal.output import print_csv, progress
from testbed.errors import ExplainedError
from testbed.network import sandbox
from testbed.network.check.linkcheck import (
    Alone,
    PathReport,
    check_paths,
    check_rates,
)
from testbed.network.check.measure import DirectionReport
from testbed.network.network import Network
from testbed.values.units import rounded_rate

_RATE_HEADER: Final = (
    Column("link"),
    Column("way"),
    Column("at once"),
    Column("rate"),
    Column("payload", 2),
    Column("wire %", 5),
    Column("steady %"),
    Column("first 1 s %", 3),
    Column("100 ms windows %", 4),
    Column("peak %", 5),
    Column("queue ms (max)", 3),
    Column("drops", 1),
    Column(""),
)
_PATH_HEADER: Final = (
    Column("round trip"),
    Column("expected ms"),
    Column("median"),
    Column("min", 1),
    Column("max", 1),
    Column("expected loss %"),
    Column("loss %"),
    Column("probes", 2),
    Column(""),
)


_ABOUT_RATES: Final = (
    "At once: how many directions were busy at the same time. Rates count Ethernet frames: 1514 bytes carry 1448 of"
    " payload. 100 % is the most that a rate allows."
)


@dataclass(frozen=True)
class Findings:
    """The measurements of a network's links, and the kernel settings of its hosts."""

    rates: Sequence[DirectionReport]
    paths: Sequence[PathReport]
    settings: Mapping[str, str]

    def within(self, tolerance: float) -> bool:
        """Whether every link has the requested rate, delay and loss."""
        return all(rate.within(tolerance) for rate in self.rates) and all(path.within() for path in self.paths)


def show_links(
    reference: str,
    parameters: Sequence[str],
    *,
    seconds: float,
    alone: Alone,
    streams: int,
    tolerance: float,
    csv: bool,
    json: bool,
    quiet: bool,
) -> int:
    """Measure and print; 0 if everything is within the tolerance, else 1."""
    if csv and json:
        raise ExplainedError("--csv and --json are two forms of the same values: use only one of them")
    target, tell = open_target(reference, parameters), progress(quiet=quiet)
    found = sandbox.run(lambda: measure_target(target, seconds, alone, streams, tell))
    if csv:
        print_csv([report.row() for report in found.rates] + [report.row() for report in found.paths])
    elif json:
        print_json(_plain(found, tolerance))
    else:
        print_findings(found, tolerance)
    return 0 if found.within(tolerance) else 1


def _plain(found: Findings, tolerance: float) -> dict[str, object]:
    rates = [{**report.row(), "within": report.within(tolerance)} for report in found.rates]
    paths = [{**report.row(), "within": report.within()} for report in found.paths]
    return {"within": found.within(tolerance), "rates": rates, "paths": paths, "settings": dict(found.settings)}


def measure_target(target: Target, seconds: float, alone: Alone, streams: int, tell: Callable[[str], None]) -> Findings:
    """Build the network and check all of its links; must be called in a sandbox."""
    with Network(target.topology, congestion_control=target.congestion_control) as network:
        tell(
            f"built {counted(len(network.hosts), 'host')} and {counted(len(network.cores), 'core')};"
            f" each measurement takes {seconds:g} s or more"
        )
        paths = check_paths(network, tell)
        rates = check_rates(network, seconds=seconds, alone=alone, streams=streams, tell=tell)
        return Findings(rates, paths, {**network.settings, "congestion control": network.congestion_control})


def print_findings(found: Findings, tolerance: float) -> None:
    """Print both tables and a summary."""
    rates, paths, width = found.rates, found.paths, line_width(sys.stdout)
    if rates:
        print(format_table(_RATE_HEADER, [_rate_row(report, tolerance) for report in rates], width))
        print("\n" + wrapped(_ABOUT_RATES, width, indent=0))
    if paths:
        print("\n" + format_table(_PATH_HEADER, [_path_row(report) for report in paths], width))
    off = sum(not report.within(tolerance) for report in rates) + sum(not report.within() for report in paths)
    total = len(rates) + len(paths)
    if not total:
        print("no link of this topology has a rate, a delay or a loss: there is nothing to measure")
    else:
        print(f"{total - off} of {total} within tolerance (steady rate {tolerance:.1%}, round trip 2 ms)")


def _rate_row(report: DirectionReport, tolerance: float) -> list[str]:
    return [
        report.link,
        report.direction,
        str(report.together),
        rounded_rate(report.asked_bps),
        rounded_rate(report.payload_bps),
        f"{report.wire_ratio:.2%}".rstrip("%"),
        f"{report.steady_ratio:.2%}".rstrip("%"),
        f"{report.first_second_ratio:.1%}".rstrip("%"),
        f"{report.low_ratio * 100:.0f} - {report.high_ratio * 100:.0f}",
        f"{report.peak_ratio * 100:.0f}",
        f"{report.queue_mean_ms:.1f} ({report.queue_max_ms:.1f})",
        str(report.drops),
        "" if report.within(tolerance) else "<- off",
    ]


def _path_row(report: PathReport) -> list[str]:
    return [
        report.path,
        f"{report.asked_rtt_ms:.1f}",
        _milliseconds(report.rtt_median_ms),
        _milliseconds(report.rtt_min_ms),
        _milliseconds(report.rtt_max_ms),
        f"{report.asked_loss:.2%}".rstrip("%"),
        f"{report.loss:.2%}".rstrip("%"),
        str(report.probes),
        "" if report.within() else "<- off",
    ]


def _milliseconds(value: float) -> str:
    """Format a round trip; there is none if no probe came back."""
    return f"{value:.2f}" if isfinite(value) else "-"
