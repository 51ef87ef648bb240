"""`testbed doctor`: whether this machine can run the testbed, and how much traffic it can carry."""

import sys
from dataclasses import asdict
from itertools import groupby
from typing import Final

from testbed.cli.terminal.as_json import print_json
from testbed.cli.terminal.colours import has_colours
from testbed.cli.terminal.layout import line_width, wrapped
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

_COLOURS: Final = {"ok": "32", "missing": "31", "small": "33"}
_STATE: Final = max(map(len, _COLOURS))
"""The width of a state."""


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
    width = line_width(sys.stdout)
    for section, members in groupby(checks, key=lambda check: check.section):
        print(f"\n{section}")
        of_section = list(members)
        longest = max(len(check.name) for check in of_section)
        for check in of_section:
            optional = "" if check.required or check.state == "ok" else " (optional)"
            line = f"  {check.state:{_STATE}}  {check.name:{longest}}  {check.found}{optional}"
            print(_coloured(wrapped(line, width, indent=_STATE + 4), check.state))
            if check.mend:
                print(wrapped(f"{'':{_STATE + 4}}-> {check.mend}", width, indent=_STATE + 7))


def _coloured(text: str, state: str) -> str:
    """Colour the first word, on a terminal."""
    return text.replace(state, f"\033[{_COLOURS[state]}m{state}\033[0m", 1) if has_colours(sys.stdout) else text


def _print_capacity(capacity: Capacity | None) -> None:
    width = line_width(sys.stdout)
    about = "capacity: the largest total of the uplinks' rates (4 streams each) that the core carries"
    print("\n" + wrapped(about, width))
    if capacity is None:
        print("  not measured")
        return
    for hosts, megabits in capacity.megabits.items():
        print(f"  {hosts:4} hosts  {megabits:6.0f} Mbit/s   ({megabits / hosts:.2f} Mbit/s each)")
    stored = f"  measured {capacity.measured_at} (stored in {cache_file()}; --again measures it again)"
    print(wrapped(stored, width, indent=4))
