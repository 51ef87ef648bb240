"""The kernel's counters of each link during a trial."""

import gzip
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from testbed.runfolder.damage import DamageError
from testbed.runfolder.handles import IN_TRIAL, open_to_read
from testbed.runfolder.trial_folder import COUNTERS
from testbed.theory.wire import FRAME_HEADERS

COUNTS: Final = ("up_bytes", "up_packets", "up_drops", "down_bytes", "down_packets", "down_drops")

Numbers: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class HostCounters:
    """The counters of one host's link, in both directions, at each time (s after t = 0)."""

    times: Numbers
    counts: Mapping[str, Numbers]

    def at(self, name: str, times: Any) -> Numbers:
        """Return a count at some times, interpolated; nan where nothing was counted."""
        return np.asarray(np.interp(times, self.times, self.counts[name]), dtype=float)

    def last(self, name: str) -> float:
        """Return a count at the end."""
        return float(self.counts[name][-1])


@dataclass(frozen=True)
class Counters:
    """The links of all hosts."""

    by_host: Mapping[str, HostCounters]

    def sum_at(self, hosts: Iterable[str], name: str, times: Any) -> Numbers:
        """Return the sum of a count over some hosts at some times; hosts without counters are left out."""
        counted = [self.by_host[host].at(name, times) for host in hosts if host in self.by_host]
        return np.asarray(np.nansum([np.zeros_like(np.asarray(times, dtype=float)), *counted], axis=0), dtype=float)

    def last(self, host: str, name: str) -> float:
        """Return a host's count at the end; nan if there is none."""
        return self.by_host[host].last(name) if host in self.by_host else np.nan

    def stream_bytes(self, hosts: Iterable[str]) -> float:
        """Return the bytes on the uplinks without packet headers: TCP's streams, with retransmissions."""
        return sum(
            self.by_host[host].last("up_bytes") - FRAME_HEADERS * self.by_host[host].last("up_packets")
            for host in hosts
            if host in self.by_host
        )


def read_counters(folder: Path) -> Counters:
    """Read the counters of a trial."""
    file = folder / COUNTERS
    table = _read_table(file)
    by_host = {str(host): _host_counters(file, rows) for host, rows in table.groupby("host", sort=False)}
    return Counters(by_host)


def _read_table(file: Path) -> pd.DataFrame:
    types: dict[str, Any] = {"t": float, "host": str, **dict.fromkeys(COUNTS, float)}
    try:
        with open_to_read(file, IN_TRIAL) as packed:
            table = pd.read_csv(packed, dtype=types, compression="gzip")
    except FileNotFoundError as error:
        raise DamageError(file, "is missing") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DamageError(file, f"is cut short or corrupt: {error}") from error
    except ValueError as error:  # pandas' own errors are ValueErrors too
        raise DamageError(file, f"is not the table of counters: {error}") from error
    if absent := [name for name in types if name not in table]:
        raise DamageError(file, f"has no column {', '.join(absent)}")
    if table.empty:
        raise DamageError(file, "has no rows")
    return table


def _host_counters(file: Path, rows: pd.DataFrame) -> HostCounters:
    arrays = {name: rows[name].to_numpy(dtype=float) for name in ("t", *COUNTS)}
    for name, values in arrays.items():
        backwards = np.flatnonzero(np.diff(values) < 0)
        if backwards.size:
            line = int(rows.index[backwards[0] + 1]) + 2
            raise DamageError(file, f"{name} of {rows['host'].iloc[0]} goes back", line)
    return _from_the_beginning(HostCounters(arrays["t"], {name: arrays[name] for name in COUNTS}))


def _from_the_beginning(counted: HostCounters) -> HostCounters:
    """Add the counts at t = 0, which are 0, if there is no row for them."""
    if counted.times[0] <= 0:
        return counted
    counts = {name: np.concatenate([[0.0], values]) for name, values in counted.counts.items()}
    return HostCounters(np.concatenate([[0.0], counted.times]), counts)
