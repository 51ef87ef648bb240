"""What was asked of each link in each trial, and what it gave."""

from collections.abc import Iterable, Iterator
from typing import Final

import pandas as pd

from contract.wording import counted, one_or_many
from testbed.results.page.words import number
from testbed.runfolder.record import LONG_BUSY_SECONDS, LinkRecord, TrialRecord
from testbed.tasks.columns import Column, words

COLUMNS: Final = {
    "trial": words("the trial's id"),
    "host": words("the host whose link it is; for trunks, the cores"),
    "direction": words("up or down, seen from the host; trunk between cores"),
    "asked": Column("bit/s", "the rate that the experiment asks for; empty if it is unlimited"),
    "measured": Column("bit/s", "the mean rate while it was busy; empty if it never was"),
    "fastest": Column("bit/s", "its fastest busy second"),
    "error": Column("", f"fastest / asked - 1, of links that were busy for {LONG_BUSY_SECONDS:g} s or longer"),
    "busy_s": Column("s", "how long it was busy"),
    "drops": Column("", "packets dropped at its shaper"),
}


def link_table(records: Iterable[TrialRecord]) -> pd.DataFrame:
    """Return a row for each direction of each link of each trial."""
    rows = [_row(record.id, link) for record in records for link in (*record.links, *record.trunks)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(trial: str, link: LinkRecord) -> dict[str, object]:
    is_known = link.asked and link.fastest is not None and link.busy_s >= LONG_BUSY_SECONDS
    return {
        "trial": trial,
        "host": link.host,
        "direction": link.direction,
        "asked": link.asked,
        "measured": link.measured,
        "fastest": link.fastest,
        "error": (link.fastest or 0) / link.asked - 1 if is_known and link.asked else None,
        "busy_s": link.busy_s,
        "drops": link.drops,
    }


def in_short(links: pd.DataFrame) -> str:
    """Say in a sentence how well the links kept their rates."""
    return " ".join(_sentences(links))


def _sentences(links: pd.DataFrame) -> Iterator[str]:
    limited = links[links["asked"].notna()]
    judged = limited[limited["error"].notna()]
    if judged.empty:
        yield f"No limited link was busy for {LONG_BUSY_SECONDS:g} s, so none can be judged by its rate."
        return
    worst = max(judged.to_dict("records"), key=lambda link: abs(link["error"]))
    yield (
        f"{counted(len(judged), 'link')} of {len(limited)} with a limit"
        f" {one_or_many(len(judged), 'was', 'were')} busy for {LONG_BUSY_SECONDS:g} s or longer. The worst of them,"
        f" {worst['host']} {worst['direction']} in trial {worst['trial']}, was asked for"
        f" {number(worst['asked'], 'bit/s')} and gave {number(worst['fastest'], 'bit/s')} in its fastest"
        f" second: {number(100 * abs(worst['error']))} % off."
    )
