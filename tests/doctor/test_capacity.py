"""The search for a machine's capacity, on simulated machines, and how its result is saved."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.doctor import capacity
from testbed.doctor.capacity import (
    CARRIED,
    Capacity,
    Probe,
    cache_file,
    highest_carried,
    load_capacity,
    machine_key,
    probe,
    save_capacity,
    search,
)
from testbed.network.links.shape import MAX_RATE, MIN_RATE
from tests.runfolder.others import OTHER

KEPT = Capacity({10: 500_000_000, 50: 250_000_000}, "2026-11-21T08:00:00+00:00", machine_key())


def machine(limit: float) -> Callable[[int, int], Probe]:
    """Return a simulated machine that carries up to `limit` bit/s and is busier the nearer it is to that."""

    def try_total(hosts: int, total: int) -> Probe:
        carried = 1.0 if total <= limit else limit / total
        return Probe(hosts, total, carried, busy=min(1.0, total / limit) if limit else 1.0)

    return try_total


@given(st.floats(70e6, 3e9), st.sampled_from([10, 50, 200]))
def test_search_finds_capacity_within_15_percent(limit: float, hosts: int) -> None:
    probes = list(search(hosts, machine(limit)))
    found = highest_carried(probes)
    assert limit / 1.15 <= found <= limit / CARRIED
    assert len(probes) <= capacity._MAX_PROBES


def test_machine_that_carries_nothing_has_no_capacity() -> None:
    probes = list(search(10, machine(0)))
    assert highest_carried(probes) == 0
    assert len(probes) <= capacity._MAX_PROBES
    totals = [result.total_bps for result in probes]
    assert totals == sorted(totals, reverse=True)


@pytest.mark.parametrize("hosts", [10, 50, 200])
def test_search_ends_at_highest_link_rate(hosts: int) -> None:
    probes = list(search(hosts, lambda hosts, total: Probe(hosts, total, 1.0, busy=0.01)))
    assert len(probes) <= capacity._MAX_PROBES
    assert highest_carried(probes) == probes[-1].total_bps > 10 * probes[0].total_bps


@given(st.data(), st.sampled_from([10, 50, 200]))
def test_probes_have_possible_link_rates(data: st.DataObject, hosts: int) -> None:
    def erratic(hosts: int, total: int) -> Probe:
        return Probe(hosts, total, data.draw(st.floats(0, 1.1)), data.draw(st.floats(0, 1)))

    probes = list(search(hosts, erratic))
    assert 1 <= len(probes) <= capacity._MAX_PROBES
    assert all(hosts * MIN_RATE <= result.total_bps <= hosts * MAX_RATE for result in probes)
    assert highest_carried(probes) in {0, *(result.total_bps for result in probes if result.carried)}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_capacity_is_valid_only_on_its_machine() -> None:
    assert load_capacity() is None
    save_capacity(KEPT)
    assert load_capacity() == KEPT
    save_capacity(replace(KEPT, machine="another kernel"))
    assert load_capacity() is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not JSON",
        "[]",
        "7",
        "null",
        "{}",
        '{"totals": {}}',
        '{"totals": 7, "measured_at": "", "machine": ""}',
        '{"totals": {"ten": 1}, "measured_at": "", "machine": ""}',
        '{"totals": {"10": null}, "measured_at": "", "machine": ""}',
        '{"totals": {"10": [1]}, "measured_at": "", "machine": ""}',
        "\udcff",
        "[" * 100_000,
    ],
)
def test_invalid_cache_is_ignored(content: str) -> None:
    cache_file().parent.mkdir()
    cache_file().write_bytes(content.encode(errors="surrogateescape"))
    assert load_capacity() is None
    save_capacity(KEPT)
    assert load_capacity() == KEPT


def test_saving_replaces_file_atomically(monkeypatch: pytest.MonkeyPatch) -> None:
    save_capacity(KEPT)

    def crash(*_arguments: object, **_handles: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", crash)
        with pytest.raises(KeyboardInterrupt):
            save_capacity(replace(KEPT, totals={10: 1}))
    assert json.loads(cache_file().read_text())["totals"] == {"10": 500_000_000, "50": 250_000_000}


def test_each_user_has_own_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/student")
    assert cache_file() == Path("/home/student/.cache/testbed/capacity.json")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_cache_in_home_of_who_called_sudo_is_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", str(OTHER))
    monkeypatch.setenv("SUDO_GID", str(OTHER))
    for home, owner in (("alice", OTHER), ("root", 0)):
        (tmp_path / home).mkdir()
        os.chown(tmp_path / home, owner, owner)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / home / ".cache"))
        save_capacity(KEPT)
        assert load_capacity() == KEPT
        assert {path.stat().st_uid for path in (tmp_path / home).rglob("*")} == {owner}


def test_all_host_counts_are_searched_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "search", lambda hosts: search(hosts, machine(100e6)))
    reported: list[Probe] = []
    measured = capacity.measure_capacity(reported.append)
    assert list(measured.totals) == [10, 50, 200]
    assert measured.machine == machine_key()
    assert {result.hosts for result in reported} == {10, 50, 200}
    for hosts, total in measured.totals.items():
        assert total == highest_carried([result for result in reported if result.hosts == hosts])
        assert measured.megabits[hosts] == total / 1e6


@pytest.mark.kernel
def test_light_load_is_carried() -> None:
    result = probe(4, 4_000_000, seconds=0.3)
    assert (result.hosts, result.total_bps) == (4, 4_000_000)
    assert result.carried_ratio == pytest.approx(1, abs=0.05)
    assert 0 <= result.busy <= 1
