"""What a reader says of run folders; it changes nothing in them."""

import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from testbed.errors import ExplainedError
from testbed.experiment import Plan
from testbed.results import report
from testbed.results.page.packing import unpacked
from testbed.runfolder.folder import RunFolder, locked
from testbed.serving.framing import framed, read_message
from testbed.serving.reader.__main__ import answer
from testbed.serving.reader.answering import KINDS, Answerer, Tell, answerer_of
from testbed.serving.reader.catalogue import Catalogue, UnknownRunError
from tests.page.swarms import EXPERIMENT
from tests.runfolder.runs import write_run
from tests.serving.servers import SESSION, begun, trial_ends

NAME = "riders-20260102T030405Z"


@dataclass
class Reader:
    """All kinds of readers in one process."""

    catalogue: Catalogue

    @cached_property
    def kinds(self) -> dict[str, Answerer]:
        glances, pages, replays = (answerer_of(kind, self.catalogue) for kind in KINDS)
        return {"runs": glances, "state": glances, "page": pages, "replay": replays}

    @property
    def plan(self) -> Plan:
        return RunFolder.open(self.catalogue.path_of(NAME)).plan

    def ask(self, question: str, tell: Tell = lambda _done, _all: None, **about: str) -> Any:
        return self.kinds[question].answer({"ask": question, "run": NAME, **about}, tell)

    def overview(self) -> Any:
        return unpacked(self.ask("page")["overview"])


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def run(runs: Path) -> Path:
    """A run of two trials, none of which has ended."""
    folder = runs / NAME
    folder.mkdir(parents=True)
    write_run(folder, EXPERIMENT.replace("repeat: 3", "repeat: 1"))
    (folder / "provenance.json").write_text(SESSION)
    (folder / ".lock").touch(0o600)
    return folder


@pytest.fixture
def reader(runs: Path) -> Reader:
    return Reader(Catalogue(runs))


def contents(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_phases_of_a_run(reader: Reader, run: Path) -> None:
    plan = reader.plan

    def said() -> tuple[str, int, Any]:
        state = reader.ask("state")
        return state["phase"], state["done"], state["now"] and state["now"]["number"]

    assert said() == ("stopped", 0, None)
    begun(run, plan, 1)
    assert said() == ("stopped", 0, None)  # a session that was killed left it
    with locked(run):
        assert said() == ("running", 0, 2)
        for trial in plan.trials:
            trial_ends(run, trial)
        assert said()[:2] == ("reporting", 2)
    assert said() == ("ended", 2, None)


def test_signature_changes_with_each_trial_and_not_with_its_beginning(reader: Reader, run: Path) -> None:
    before = reader.ask("state")["signature"]
    begun(run, reader.plan, 0)
    assert reader.ask("state")["signature"] == before
    trial_ends(run, reader.plan.trials[0])
    assert reader.ask("state")["signature"] != before


def test_page_grows_with_the_trials_and_each_is_read_once(reader: Reader, run: Path) -> None:
    told: list[tuple[int, int]] = []
    plan = reader.plan
    for trial in plan.trials:
        trial_ends(run, trial)
        parts = reader.ask("page", lambda *progress: told.append(progress))
        assert unpacked(parts["overview"])["replays"]["shown"][-1]["trial"] == trial.id
    assert told == [(1, 1), (2, 2)]


def test_page_of_a_run_without_a_trial_and_of_one_that_goes_on(reader: Reader, run: Path) -> None:
    assert reader.overview()["trials"]["missing"] == 2
    with locked(run):
        assert reader.overview()["problems"] == ["2 of 2 trials are still to come: these numbers will change"]


def test_nothing_is_written(reader: Reader, run: Path) -> None:
    trial = reader.plan.trials[0]
    trial_ends(run, trial)
    before = contents(run)
    reader.ask("runs")
    reader.ask("state")
    reader.ask("page")
    reader.ask("replay", part=f"replay-{trial.id}")
    assert contents(run) == before


def test_written_page_is_taken_if_nothing_has_changed_since(reader: Reader, run: Path) -> None:
    plan = reader.plan
    for trial in plan.trials:
        trial_ends(run, trial)
    report(run)
    for trace in run.glob("trials/*/*.jsonl.gz"):
        trace.write_bytes(b"no gzip")  # so whoever reads traces again finds damage
    page = reader.overview()
    assert page["trials"]["valid"] == 2
    assert [each["trial"] for each in page["replays"]["shown"]] == [trial.id for trial in plan.trials]
    shutil.rmtree(run / "trials" / plan.trials[0].id)
    assert reader.overview()["trials"]["valid"] == 0


@pytest.mark.parametrize("text", ["", "no page", '<script type="text/plain" id="data:overview">AAAA</script>'])
def test_damaged_page_is_not_taken(reader: Reader, run: Path, text: str) -> None:
    (run / "report.html").write_text(text)
    assert reader.overview()["trials"]["missing"] == 2


def test_run_that_is_removed_keeps_its_last_state_and_says_so(reader: Reader, run: Path) -> None:
    reader.ask("state")
    shutil.rmtree(run)
    state = reader.ask("state")
    assert (state["planned"], state["phase"]) == (2, "stopped")
    assert "or it was removed" in state["trouble"]


def test_list_follows_the_folder(reader: Reader, runs: Path, run: Path) -> None:
    row = reader.ask("runs")[0]
    assert (row["name"], row["complete"], row["planned"], row["in_use"]) == (NAME, 0, 2, False)
    assert row["title"].startswith("Free riders")
    trial_ends(run, reader.plan.trials[0])
    with locked(run):
        row = reader.ask("runs")[0]
        assert (row["complete"], row["verdicts"], row["in_use"]) == (1, {"valid": 1}, True)
    assert not reader.ask("runs")[0]["in_use"]
    (run / "plan.json").write_text("{")
    assert reader.ask("runs")[0]["state"] == "damaged"
    shutil.rmtree(runs)
    assert reader.ask("runs") == []


@pytest.mark.parametrize("name", ["..", ".", "", "/etc", f"../runs/{NAME}", f"{NAME}/", f"{NAME}\0", "link"])
def test_only_names_of_runs_are_found(reader: Reader, runs: Path, run: Path, name: str) -> None:
    (runs / "link").symlink_to(run)
    with pytest.raises(UnknownRunError):
        reader.catalogue.path_of(name)


def test_run_elsewhere_can_be_named(runs: Path, run: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(run, tmp_path / "a copy")
    found = Catalogue(runs, copied)
    assert [each.path for each in found.all()] == [copied, run]
    assert found.path_of("a copy") == copied


@pytest.mark.parametrize("part", ["replay-nothing", "replay-../../plan.json", "overview"])
def test_only_replays_of_trials_that_ended_exist(reader: Reader, run: Path, part: str) -> None:
    trial_ends(run, reader.plan.trials[0])
    with pytest.raises(UnknownRunError, match="has no such replay"):
        reader.ask("replay", part=part)


def test_damaged_trial_has_no_replay_and_the_reason(reader: Reader, run: Path) -> None:
    trial = reader.plan.trials[0]
    trial_ends(run, trial)
    (run / "trials" / trial.id / "p1.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(ExplainedError, match="cannot be replayed"):
        reader.ask("replay", part=f"replay-{trial.id}")


def messages(stream: io.BytesIO) -> Iterator[Any]:
    while stream.tell() < len(stream.getvalue()):
        yield read_message(stream)


def test_errors_become_answers(reader: Reader, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.BytesIO()
    for question in ({"ask": "state", "run": "x"}, {"ask": "nothing"}):
        answer(reader.kinds["state"], question, lambda message: stream.write(framed(message)))
    stream.seek(0)
    unknown, bug = messages(stream)
    assert unknown["unknown"].startswith("there is no run 'x'")
    assert bug["refused"].startswith("KeyError: 'nothing'")
    assert "Traceback" in capsys.readouterr().err


def test_half_a_message_is_an_end() -> None:
    whole = framed({"a": 1})
    assert read_message(io.BytesIO(whole)) == {"a": 1}
    for count in range(len(whole)):
        with pytest.raises(EOFError):
            read_message(io.BytesIO(whole[:count]))
    assert json.loads(whole[4:]) == {"a": 1}
