"""`testbed plan`: list the trials of an experiment without running them."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from testbed.cli.check import checked_plan, summary, warning
from testbed.cli.experiments import open_experiment
from testbed.cli.terminal.points import short, short_names, telling_keys
from testbed.doctor.capacity import load_capacity
from testbed.doctor.kernel import check_kernel
from testbed.experiment.plan.doubts import Machine, doubts
from testbed.experiment.plan.plan import Plan
from testbed.experiment.plan.trials import Trial
from testbed.network.delaybox import PROGRAM as DELAY_BOX
from testbed.tasks.planning import TASKS
from testbed.values.units import format_duration

_WIDE: Final = 400
"""Characters in a line, where no terminal sets a limit."""


def show_plan(path: Path, settings: Sequence[str], *, json: bool) -> None:
    """Print the trials as a table or as JSON, and warnings about this machine."""
    plan = checked_plan(open_experiment(path, settings))
    machine = this_machine()
    warnings = [warning(doubt, plan) for doubt in doubts(plan.trials, machine)]
    if not machine.carries:
        warnings.append("the capacity of this machine is unknown: run `testbed doctor` to measure it")
    if json:
        print(plan.to_json(), end="")
        for text in warnings:
            print(f"testbed: {text}", file=sys.stderr)
    else:
        _print_plan(plan, warnings)


def this_machine() -> Machine:
    """Return the capacity and the features of this machine."""
    capacity = load_capacity()
    return Machine(carries=capacity.totals if capacity else {}, can_delay=_can_delay())


def _can_delay() -> bool:
    if DELAY_BOX.exists() and Path("/dev/net/tun").exists():
        return True
    return any(check.name == "qdisc netem" and check.state == "ok" for check in check_kernel())


def _print_plan(plan: Plan, warnings: Sequence[str]) -> None:
    console = Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else _WIDE)
    console.print(": ".join(filter(None, (plan.title, plan.question))), style="bold", soft_wrap=True)
    _print_trials(plan, console)
    loads = [trial.estimate for trial in plan.trials]
    bits, packets = max(load.bits_per_second for load in loads), max(load.packets_per_second for load in loads)
    console.print(
        f"{summary(plan)}; at most {bits / 1e6:.0f} Mbit/s, {packets:.0f} packets/s through the core", soft_wrap=True
    )
    for text in warnings:
        console.print(f"warning: {text}", style="yellow", soft_wrap=True)


def _print_trials(plan: Plan, console: Console) -> None:
    """Print a row for each trial, after the values that all trials share. A table that is too wide is not cropped."""
    rows = [_cells(trial) for trial in plan.trials]
    same = {heading for heading in rows[0] if len(rows) > 1 and len({row[heading] for row in rows}) == 1}
    if same:
        shared = ", ".join(f"{heading} {value}" for heading, value in rows[0].items() if heading in same)
        console.print(f"in all trials: {shared}", soft_wrap=True)
    table = _table(plan, [{key: row[key] for key in row if key not in same} for row in rows])
    width = console.measure(table, options=console.options.update(max_width=_WIDE)).maximum
    console.width = max(console.width, width)
    console.print(table)


def _table(plan: Plan, rows: Sequence[Mapping[str, str]]) -> Table:
    """Put the swept values in front of the rows, unless the task shows them itself."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    keys = [key for key in telling_keys([trial.point for trial in plan.trials]) if key not in rows[0]]
    names = short_names(keys)
    for heading in ("trial", *(names[key] for key in keys)):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in rows[0]:
        is_word = all(row[heading].replace("-", "").isalpha() for row in rows)
        table.add_column(heading, justify="left" if is_word else "right", no_wrap=True)
    for number, (trial, row) in enumerate(zip(plan.trials, rows, strict=True), start=1):
        table.add_row(str(number), *[short(trial.point[key]) for key in keys], *row.values())
    return table


def _cells(trial: Trial) -> dict[str, str]:
    overview = TASKS[trial.settings.task].overview(trial.settings, trial.hosts, trial.theory)
    about = format_duration(round(trial.estimate.seconds))
    return {"run": str(trial.repetition), **overview, "about": about}
