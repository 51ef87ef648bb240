"""Columns of tables: what each one means, its unit, and how a figure's axis names it; docs/results.md says the same.

Figures and expectations name columns, so that the names can be checked before anything is run. This module has the
columns that every run has; a task has others in addition (`testbed.tasks`).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from contract.events import Level


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its unit (empty for words, counts and shares), its meaning, and its label on a figure's axis."""

    unit: str
    meaning: str
    label: str = ""
    is_words: bool = False
    """Whether its cells are words, which have no mean."""
    is_share: bool = False
    """Whether it is at most about 1, so that all figures have the same axis; `%` is its unit where one is wanted."""
    is_gain: bool = False
    """Whether 1 means no difference, and half as much is as far from it as twice as much."""
    trace_level: Level = Level.SUMMARY
    """The lowest level of traces at which it has values."""


def words(meaning: str, label: str = "") -> Column:
    """Return a column of words."""
    return Column("", meaning, label, is_words=True)


IDENTITY: Final[Mapping[str, Column]] = {
    "trial": words("its id, which is also the name of its folder"),
    "repetition": Column("", "from 1 on", "repetition"),
    "seed": Column("", "the seed of its draws"),
    "pair": words("the same for trials that differ only in the paired key; empty without `pair:`"),
}
"""The first columns of trials.csv."""

FIDELITY: Final[Mapping[str, Column]] = {
    "verdict": words(
        "`valid`; `suspect`: the emulation was disturbed; or `failed`: a program crashed, never started, or ended when"
        " it should not have",
        "verdict",
    ),
    "reasons": words("why it is not valid"),
    "attempts": Column("", "number of measurements: suspect trials can be measured again", "attempts"),
    "lowest_idle_cpu": Column("", "the idle share of the processors in the worst second", "lowest idle CPU"),
    "worst_lateness_ms": Column(
        "ms",
        "how late an idle program woke from sleeps of 2 ms: 99th percentile in the worst second",
        "lateness of wake-ups",
    ),
    "loop_lateness_ms": Column("ms", "the worst lateness of an application's event loop", "lateness of event loops"),
    "run_delay_ms_per_s": Column(
        "ms/s", "how long an application waited for a processor, in the worst second", "wait for a processor"
    ),
    "psi_cpu": Column("", "the kernel's pressure on the processors (PSI) in the worst second", "CPU pressure"),
    "core_drops": Column(
        "", "packets that the machine dropped before they reached the core", "packets lost by the machine"
    ),
    "link_error": Column(
        "",
        "the relative error of the worst link in its fastest second, among links that were busy for 5 s",
        "error of links",
    ),
    "stopped": words("why it ended: `complete`, `time limit`, ...", "end of the trial"),
    "seconds": Column("s", "from t = 0 to its end", "length of the trial"),
    "audit": words("`agrees`, or how many disagreements of traces and captures there are; empty without `audit: true`"),
    "captures": words("`complete`, or which captures lack packets, and why; empty without captures"),
}
"""The last columns of trials.csv."""

SUMMARY: Final[Mapping[str, Column]] = {
    "group": words("the group of the measure; empty for the whole trial"),
    "measure": words("a column of trials.csv, or of groups.csv where there is a group"),
    "compared": words("empty for the values themselves; `difference` or `gain` for comparisons within pairs"),
    "against": words("for pairs: the value of the paired key of their partners"),
    "n": Column("", "trials, or pairs, that the row is computed from"),
    "n_valid": Column("", "valid trials of this point; for comparisons, pairs of two valid trials"),
    "n_suspect": Column("", "suspect trials of this point, which are excluded unless `--with-suspect` is given"),
    "n_failed": Column("", "failed trials of this point, which are always excluded; for comparisons, pairs with one"),
    "mean": Column("", "in the unit of the measure; a gain has none"),
    "sd": Column("", "standard deviation (n - 1)"),
    "low": Column("", "lower end of the mean's 95 % interval (percentile bootstrap, 10000 resamples)"),
    "high": Column("", "its upper end"),
    "p_permutation": Column(
        "", "for pairs: two-sided sign-flip permutation test of the mean difference, or of the logarithms of the gains"
    ),
    "p_t": Column("", "for pairs: t-test of the same"),
}


@dataclass(frozen=True, slots=True)
class TheoryCurve:
    """What a figure can draw beside measured times."""

    column: str
    """The column of its times; empty for the law of whatever is drawn."""
    label: str
    """How the legend names it."""
    is_bound: bool = True
    """Whether it is what ratios are ratios to, so that it is a line at 1 beside them."""


@dataclass(frozen=True)
class TableColumns:
    """The tables of a task, and what summaries, figures and expectations use of them."""

    tables: Mapping[str, Mapping[str, Column]]
    """The columns by the name of the file. The swept keys are columns of trials and summary, too."""
    coarsest_first: tuple[str, ...]
    """The order in which columns are looked for; each table has its trials' columns besides its own."""
    row_names: Mapping[str, tuple[str, ...]]
    """The columns that identify a row within its trial: a row is compared with the row of the same name."""
    table_of: Mapping[str, str]
    """By the kind of figure, the table that it is made from; others use the coarsest table that has their columns."""
    trial_measures: tuple[str, ...]
    group_measures: tuple[str, ...]
    """The columns of the trials, and of their groups, that are summed up."""
    headline: tuple[str, ...]
    """The measures that `testbed report` prints."""
    paired: tuple[str, str]
    """The time of a group and of a trial, whose gains within pairs are printed."""
    defaults: Mapping[str, str]
    """By the kind of figure, the column that it shows where the experiment names none."""
    cdf_of: str = "peers"
    """What the rows are whose share a figure of kind `cdf` shows."""
    can_be_captured: bool = True
    """Whether figures can be made from captures instead of traces."""
    group_table: str | None = None
    """The table with a row for each group of a trial, if the task has groups."""
    curves: Mapping[str, TheoryCurve] = field(default_factory=dict)
    """By the name in `theory:`, what is drawn."""
    law_of: Mapping[str, str] = field(default_factory=dict)
    """By the column of a measure, the column of what a law says of it; where there are such, no others have curves."""
    bound_of_ratio: Mapping[str, str] = field(default_factory=dict)
    """By the column of a ratio, the column of the bound that it is a ratio to."""

    key_label: Callable[[str, Collection[str]], str] = lambda key, _: key
    """Say what a swept key is, given the names of all groups of hosts."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What figures call words and names of parameters, if not as experiment files write them."""
    shortened: tuple[str, ...] = ()
    """Swept keys whose values have many parameters: figures name those in which they differ."""

    @property
    def by_second(self) -> Mapping[str, Column]:
        """The columns of the table that a timeline is made from."""
        return self.tables[self.table_of["timeline"]]

    @property
    def expected_of(self) -> tuple[str, ...]:
        """The tables in which the columns of an expectation are looked for, in this order."""
        return (*self.coarsest_first, "summary")

    def columns_of(self, table: str, swept: Iterable[str]) -> dict[str, Column]:
        """Return the columns of a table and of its trials; where both have one, the table's own."""
        of_trials = {} if table == "summary" else self.tables["trials"]
        return {**{key: Column("", "") for key in swept}, **of_trials, **self.tables[table]}

    def table_having(
        self, names: Iterable[str], swept: Iterable[str], tables: Iterable[str] | None = None
    ) -> str | None:
        """Return the first table that has all of these columns."""
        wanted, keys = set(names), tuple(swept)
        candidates = self.coarsest_first if tables is None else tables
        return next((table for table in candidates if wanted <= self.columns_of(table, keys).keys()), None)

    def has_bounds(self, name: str) -> bool:
        """Whether theory can be drawn beside a column: beside times, ratios to a bound, and what has a law."""
        if self.law_of:
            return name in self.law_of
        column = self.column(name)
        return name in self.bound_of_ratio or (column is not None and column.unit == "s")

    def needed_beside_bounds(self, kind: str) -> str:
        """Say what y must be where theory is drawn."""
        if self.law_of:
            return f"there are laws of {', '.join(self.law_of)}: y must be one of these"
        return f"bounds are times: y must be {self.defaults[kind]} or a ratio"

    def column_of(self, curve: str, y: str) -> str:
        """Return the column of a curve that is drawn beside y."""
        return self.curves[curve].column or self.law_of[y]

    def column(self, name: str) -> Column | None:
        """Return a column of any table."""
        return next((columns[name] for columns in self.tables.values() if name in columns), None)

    def label(self, name: str, groups: Collection[str]) -> str:
        """Return what a column or a swept key is, in words."""
        column = self.column(name)
        return self.key_label(name, groups) if column is None else column.label or name.replace("_", " ")
