"""`testbed doctor`: whether this machine can run the testbed, and how much traffic it can carry."""

import sys
from dataclasses import asdict

from testbed.cli.terminal.as_json import print_json
from testbed.cli.terminal.colours import has_colours
from testbed.cli.terminal.output import progress
from testbed.doctor.capacity import (
    Capacity,
    Probe,
    cache_file,
    load_capacity,
    measure_capacity,
    save_capacity,
)
from testbed.doctor.checks import Check, exit_status
from testbed.doctor.kernel import check_kernel
from testbed.doctor.limits import check_limits
from testbed.doctor.tools import check_tools, check_versions

_COLOURS = {"ok": "32", "missing": "31", "small": "33"}


def show_doctor(*, json: bool, capacity: bool, again: bool) -> int:
    """Check everything and print it."""
    checks = [*check_kernel(), *check_limits(), *check_tools(), *check_versions()]
    if not json:
        _print_checks(checks)
    known = None if again else load_capacity()
    if known is None and capacity and not exit_status(checks):
        known = measure_capacity(_Reporter(quiet=json))
        save_capacity(known)
    if json:
        found = {"checks": [check.row() for check in checks], "capacity": asdict(known) if known else None}
        print_json(found)
    else:
        _print_capacity(known)
    return exit_status(checks)


class _Reporter:
    """Reports the progress of the search for the capacity, which takes about half a minute."""

    def __init__(self, *, quiet: bool) -> None:
        self._tell = progress(quiet=quiet)
        self._tell("measuring how much traffic this machine can carry (about half a minute)")

    def __call__(self, probe: Probe) -> None:
        verdict = "carried" if probe.carried else "not carried"
        self._tell(f"{probe.hosts} hosts, {probe.total_bps / 1e6:.0f} Mbit/s: {probe.carried_ratio:.1%}, {verdict}")


def _print_checks(checks: list[Check]) -> None:
    width = max(len(check.name) for check in checks)
    section = ""
    for check in checks:
        if check.section != section:
            section = check.section
            print(f"\n{section}")
        optional = "" if check.required or check.state == "ok" else " (optional)"
        print(f"  {_mark(check)}  {check.name:{width}}  {check.found}{optional}")
        if check.mend:
            print(f"  {'':7}  {'':{width}}  -> {check.mend}")


def _mark(check: Check) -> str:
    word = f"{check.state:7}"
    return f"\033[{_COLOURS[check.state]}m{word}\033[0m" if has_colours(sys.stdout) else word


def _print_capacity(capacity: Capacity | None) -> None:
    print("\ncapacity: the largest total of the uplinks' rates (4 streams each) that the core carries")
    if capacity is None:
        print("  not measured")
        return
    for hosts, megabits in capacity.megabits.items():
        print(f"  {hosts:4} hosts  {megabits:6.0f} Mbit/s   ({megabits / hosts:.2f} Mbit/s each)")
    print(f"  measured {capacity.measured_at} (stored in {cache_file()}; --again measures it again)")
