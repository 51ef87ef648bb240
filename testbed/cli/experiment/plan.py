"""`testbed plan`: list the trials of an experiment without running them."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from testbed.cli.experiment.check import checked_plan, summary, warning
from testbed.cli.experiment.files import open_experiment
from testbed.cli.terminal.complaints import complain
from testbed.cli.terminal.layout import Column, format_table, line_width, wrapped
from testbed.doctor.capacity import load_capacity
from testbed.doctor.kernel import check_kernel
from testbed.doctor.resources import find_resources
from testbed.experiment.language.points import short, short_names, telling_keys
from testbed.experiment.plan.doubts import Machine, doubts
from testbed.experiment.plan.plan import Plan
from testbed.experiment.plan.refusals import refusals
from testbed.experiment.plan.trials import Trial
from testbed.network.delaybox import PROGRAM as DELAY_BOX
from testbed.tasks.planning import TASKS
from testbed.values.units import format_duration, rounded_rate

_ABOUT: Final = "about"
"""The heading of the estimated duration, which is always shown."""


def show_plan(path: Path, runs: Path, settings: Sequence[str], *, json: bool) -> int:
    """Print the trials as a table or as JSON, and what this machine cannot do; 1 if it cannot run them, else 0."""
    plan = checked_plan(open_experiment(path, settings))
    machine = this_machine()
    warnings = [warning(doubt, plan) for doubt in doubts(plan.trials, machine)]
    if not machine.carries:
        warnings.append("the capacity of this machine is unknown: run `testbed doctor` to measure it")
    refused = [warning(reason, plan) for reason in refusals(plan.trials, find_resources(runs))]
    if json:
        print(plan.to_json(), end="")
        for text in [*warnings, *refused]:
            complain(text)
    else:
        _print_plan(plan, warnings, refused)
    return int(bool(refused))


def this_machine() -> Machine:
    """Return the capacity and the features of this machine."""
    capacity = load_capacity()
    return Machine(carries=capacity.totals if capacity else {}, can_delay=_can_delay())


def _can_delay() -> bool:
    if DELAY_BOX.exists() and Path("/dev/net/tun").exists():
        return True
    return any(check.name == "qdisc netem" and check.state == "ok" for check in check_kernel())


def _print_plan(plan: Plan, warnings: Sequence[str], refused: Sequence[str]) -> None:
    width = line_width(sys.stdout)
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    console.print(wrapped(": ".join(filter(None, (plan.title, plan.question))), width), style="bold")
    shared, table = _trials(plan, width)
    if shared:
        console.print(wrapped(f"in all trials: {shared}", width))
    console.print(f"\n{table}\n")
    loads = [trial.estimate for trial in plan.trials]
    bits, packets = max(load.bits_per_second for load in loads), max(load.packets_per_second for load in loads)
    load = f"at most {rounded_rate(bits)}, {packets:.0f} packets/s through the core"
    console.print(wrapped(f"{summary(plan)}; {load}", width))
    for text in warnings:
        console.print(wrapped(f"warning: {text}", width), style="yellow")
    for text in refused:
        console.print(wrapped(f"impossible here: {text}", width), style="red")


def _trials(plan: Plan, width: int | None) -> tuple[str, str]:
    """Return the values that all trials share, and a table with a row for each trial; what none has is left out."""
    cells = [_cells(trial) for trial in plan.trials]
    known = [heading for heading in cells[0] if any(row[heading] for row in cells)]
    rows = [{heading: row[heading] for heading in known} for row in cells]
    same = {heading for heading in rows[0] if len(rows) > 1 and len({row[heading] for row in rows}) == 1}
    shared = ", ".join(f"{heading} {value}" for heading, value in rows[0].items() if heading in same)
    return shared, _table(plan, [{key: row[key] for key in row if key not in same} for row in rows], width)


def _table(plan: Plan, rows: Sequence[Mapping[str, str]], width: int | None) -> str:
    """Put the swept values in front of the rows, unless the task shows them itself."""
    keys = [key for key in telling_keys([trial.point for trial in plan.trials]) if key not in rows[0]]
    names = short_names(keys)
    own = [Column(heading, 0 if heading == _ABOUT else rank) for rank, heading in enumerate(rows[0], start=1)]
    lines = [
        [str(number), *(short(trial.point[key]) for key in keys), *row.values()]
        for number, (trial, row) in enumerate(zip(plan.trials, rows, strict=True), start=1)
    ]
    return format_table(["trial", *(names[key] for key in keys), *own], lines, width)


def _cells(trial: Trial) -> dict[str, str]:
    overview = TASKS[trial.settings.task].overview(trial.settings, trial.hosts, trial.theory)
    about = format_duration(round(trial.estimate.seconds))
    return {"repetition": str(trial.repetition), **overview, _ABOUT: about}
