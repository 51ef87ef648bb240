"""Other people's clients in whole trials: each against ours, departures, failures, and the page about adapters."""

import gzip
import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract.programs import CLIENTS
from peer.adapters.program import AdapterError
from peer.adapters.registry import adapter_named
from testbed.experiment import make_plan, read_experiment
from testbed.tasks.programs import programs_of
from testbed.trial.events import TrialEnded
from tests.network.users import User, call_as, why_not
from tests.trial.plans import perform, plan_of

PAGE = Path(__file__).parents[2] / "docs" / "applications.md"
BASE = "file: {size: 1 MiB, piece_length: 32 KiB}\nservers: {up: 16 Mbit/s}\ntime_limit: 1 min\n"


def hosts_of(folder: Path) -> dict[str, dict[str, Any]]:
    record = json.loads((folder / "trial.json").read_text())
    return {host["name"]: host for host in record["hosts"]}


def trace_of(folder: Path, host: str) -> list[dict[str, Any]]:
    with gzip.open(folder / f"{host}.jsonl.gz", "rt") as lines:
        return [json.loads(line) for line in lines]


def failures(ended: TrialEnded) -> list[str]:
    """Return what programs did wrong; a busy machine makes a trial suspect, which does not matter here."""
    return list(ended.reasons) if ended.verdict == "failed" else []


def require(name: str) -> None:
    """Skip WebTorrent where it is missing: npm and what it brings are too much for a set-up of tests."""
    try:
        adapter_named(name).version()
    except AdapterError as error:
        if name != "webtorrent":
            raise
        pytest.skip(str(error))


@pytest.mark.kernel
@pytest.mark.parametrize("name", CLIENTS)
def test_client_gets_the_file_from_our_seed(tmp_path: Path, name: str) -> None:
    require(name)
    peers = f"theirs: {{count: 2, up: 8 Mbit/s, down: 24 Mbit/s, application: {name}}}"
    trial = plan_of(tmp_path, base=BASE, peers=peers).trials[0]
    ended, folder = perform(trial, tmp_path)
    assert (ended.stopped, ended.completed, failures(ended)) == ("complete", 2, [])
    for host in ("p1", "p2"):
        header, *events = trace_of(folder, host)
        assert re.search(r" \d+\.\d+", header["program"])
        assert hosts_of(folder)[host]["program"] == header["program"]
        left = events[-1]
        assert (left["event"], left["have_count"]) == ("left", 32)
        assert left["received"] >= 1 << 20
        completed = next(event for event in events if event["event"] == "completed")
        assert completed["received"] >= 1 << 20


@pytest.mark.kernel
@pytest.mark.parametrize("name", CLIENTS)
def test_client_seeds_our_leeches(tmp_path: Path, name: str) -> None:
    require(name)
    base = BASE.replace("{up: 16 Mbit/s}", f"{{up: 16 Mbit/s, application: {name}}}")
    peers = "ours: {count: 2, up: 8 Mbit/s, down: 24 Mbit/s}"
    ended, folder = perform(plan_of(tmp_path, base=base, peers=peers).trials[0], tmp_path)
    assert (ended.stopped, ended.completed, failures(ended)) == ("complete", 2, [])
    assert trace_of(folder, "server")[-1]["sent"] >= 1 << 20


@pytest.mark.kernel
def test_clients_leave_as_planned(tmp_path: Path) -> None:
    peers = """
        ours: {count: 1, up: 8 Mbit/s, down: 2 Mbit/s}
        quick: {count: 1, up: 8 Mbit/s, application: libtorrent, departure: at-completion}
        gone: {count: 1, up: 1 Mbit/s, down: 1 Mbit/s, application: aria2, departure: {after: 1.5 s}}
        late: {count: 1, up: 8 Mbit/s, application: libtorrent, arrival: {at: 1 s}, departure: {linger: 0.2 s}}
    """
    ended, folder = perform(plan_of(tmp_path, base=BASE, peers=peers).trials[0], tmp_path)
    assert (ended.stopped, failures(ended)) == ("all ended", [])
    hosts = hosts_of(folder)
    assert {name: hosts[name]["why"] for name in ("p2", "p3", "p4")} == {
        "p2": None,
        "p3": "left before completion",
        "p4": None,
    }
    assert [trace_of(folder, name)[-1]["reason"] for name in ("p2", "p3", "p4")] == [
        "complete",
        "after 1.5 s",
        "complete",
    ]


@pytest.mark.kernel
def test_an_ordinary_user_runs_clients_that_encrypt_as_the_experiment_requires() -> None:
    """Transmission does so too, in tests/peer/bittorrent/conformance; here it would take ten seconds more."""
    others = [name for name in CLIENTS if name not in {"transmission", "webtorrent"}]
    groups = [f"{name}: {{count: 1, up: 8 Mbit/s, application: {name}}}" for name in ("ours", *others)]

    def body() -> tuple[Any, list[str]]:
        with tempfile.TemporaryDirectory() as name:
            here = Path(name)
            plan = plan_of(here, base=BASE, peers="\n".join(groups), more="encryption: require\n")
            ended, folder = perform(plan.trials[0], here)
            methods = [event["method"] for event in trace_of(folder, "server") if event.get("event") == "encrypted"]
            return (ended.stopped, ended.completed, failures(ended)), methods

    if reason := why_not(User.ORDINARY):
        pytest.skip(reason)
    outcome, methods = call_as(User.ORDINARY, body)
    assert outcome == ("complete", len(groups), [])
    assert len(methods) >= len(groups)
    assert set(methods) == {"rc4"}


@pytest.mark.kernel
def test_nginx_serves_our_clients_whoever_runs_it(as_user: Callable[[Callable[[], Any]], Any]) -> None:
    base = "distribution: client-server\nfile: {size: 1 MiB}\nservers: {up: 16 Mbit/s, application: nginx}\n"

    def body() -> tuple[Any, list[dict[str, Any]]]:
        with tempfile.TemporaryDirectory() as name:
            ended, folder = perform(plan_of(Path(name), base=base).trials[0], Path(name))
            return (ended.stopped, ended.completed, failures(ended)), trace_of(folder, "server")

    outcome, (header, *events) = as_user(body)
    assert outcome == ("complete", 3, [])
    assert header["program"].startswith("nginx ")
    assert 3 << 20 <= events[-1]["sent"] < 1.01 * (3 << 20), "the file three times, with heads"


@pytest.mark.kernel
@pytest.mark.parametrize("kind", ["http", "udp"])
def test_opentracker_introduces_ours_and_others(tmp_path: Path, kind: str) -> None:
    peers = """
        ours: {count: 1, up: 8 Mbit/s}
        theirs: {count: 1, up: 8 Mbit/s, application: libtorrent}
    """
    more = f"tracker: {{application: opentracker, kind: {kind}}}\n"
    ended, folder = perform(plan_of(tmp_path, base=BASE, peers=peers, more=more).trials[0], tmp_path)
    assert (ended.stopped, ended.completed, failures(ended)) == ("complete", 2, [])
    tracker = hosts_of(folder)["tracker"]
    assert (tracker["application"], tracker["failed"], tracker["trace"]) == ("opentracker", False, None)


FAILING = """
import sys
from peer.adapters.api import UNTOLD, Adapter, State


class Failing(Adapter):
    program = "python3"
    untold = UNTOLD
    starts_at_join = True
    how = ""

    def command(self):
        place = f"place = {str(self.place.downloads)!r}; "
        return [sys.executable, "-c", "import os, pathlib, sys, time; " + place + self.how]

    def state(self):
        return State((self.place.downloads / self.place.name).exists())


class Crashing(Failing):
    how = "os.abort()"


class Ending(Failing):
    how = "sys.exit('I have had enough')"


class Lying(Failing):
    how = "pathlib.Path(place, '1048576.bin').write_bytes(bytes(1 << 20)); time.sleep(60)"


class Idle(Failing):
    how = "time.sleep(60)"
"""


@pytest.mark.kernel
def test_clients_that_fail_are_named(tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text(FAILING)
    names = ("Crashing", "Ending", "Lying", "Idle")
    groups = "\n".join(f'{name.lower()}: {{count: 1, up: 8 Mbit/s, application: "failing:{name}"}}' for name in names)
    base = BASE.replace("1 min", "4 s")
    ended, folder = perform(plan_of(tmp_path, base=base, peers=groups).trials[0], tmp_path)
    hosts = hosts_of(folder)
    whys = {name: hosts[f"p{number}"]["why"] for number, name in enumerate(names, start=1)}
    assert ended.verdict == "failed"
    assert whys["Crashing"] == "ended with exit status 10: client: python3 ended by itself with signal 6"
    assert whys["Ending"].endswith("python3 ended by itself with exit status 1: I have had enough")
    assert whys["Lying"].endswith(
        "python3 says that it is complete, but its file differs from the original from byte 0 on"
    )
    assert whys["Idle"].startswith("did not complete within ")


def page_blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_adapter_of_the_page_is_short() -> None:
    (module,) = page_blocks("python")
    assert len([line for line in module.splitlines() if line.strip()]) <= 30


@pytest.mark.kernel
def test_adapter_of_the_page_works_as_the_page_says(tmp_path: Path) -> None:
    (module,) = page_blocks("python")
    experiment = next(block for block in page_blocks("yaml") if "my_client" in block)
    (tmp_path / "my_client.py").write_text(module)
    (tmp_path / "mine.yaml").write_text(experiment)
    plan = make_plan(read_experiment(tmp_path / "mine.yaml"))
    assert list(programs_of(plan.trials[0]).findings(plan.trials, tmp_path / "mine.yaml")) == []
    ended, folder = perform(plan.trials[0], tmp_path)
    assert (ended.stopped, ended.completed, failures(ended)) == ("complete", 2, [])
    header, *events = trace_of(folder, "p2")
    assert header["program"].startswith("transmission-cli ")
    assert 1 << 20 <= events[-1]["received"] < 2 * (1 << 20), "what TCP carried, and blocks that came twice"
