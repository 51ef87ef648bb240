"""Downloads of what was found, from the key to the tables: what never ended counts as the longest."""

import json
from collections.abc import Iterator
from math import isnan, nan
from pathlib import Path
from typing import Any

import pytest

from testbed.experiment import ExperimentError
from testbed.results.made import Report
from testbed.results.report import report
from testbed.tasks.find.plan.searches import PlannedSearch, draw_scenario
from testbed.tasks.find.programs.description import description_file, write_descriptions
from testbed.tasks.find.tables.nodes import quantile_with_missing
from testbed.tasks.find.trials import hosts_of, settings_of
from tests.experiment.files import planned, written
from tests.runfolder.runs import Counts, Events, Happened, address, event, header, write_run, write_trial
from tests.tasks.find.files import DIRECTORY, RING, trial_of
from tests.tasks.find.test_programs import context_of

FILES = """\
title: Files
task: find
overlay: gnutella
nodes:
  holders: {count: 1, up: 1 Mbit/s, asks: false}
  askers: {count: 2, up: 1 Mbit/s, shares: 0 %}
content: {items: 2, size: 1 kB, copies: {each: 1}}
queries: {rate: 8 /min, from: 5 s, until: 30 s}
downloads: true
"""
END = 40.0
HOLDER = f"{address(1)}:6346"


def asked(search: PlannedSearch) -> list[dict[str, Any]]:
    named = {"search": search.name, "item": search.meant, "holder": HOLDER}
    return [
        event(search.at, "search_began", search=search.name, wanted=search.wanted),
        event(search.at + 0.1, "answer_came", hops=1, **named),
        event(search.at + 0.1, "download_asked", claimed=10, **named),
    ]


def ended(t: float, search: PlannedSearch, outcome: str, **more: Any) -> dict[str, Any]:
    return event(t, "download_ended", search=search.name, outcome=outcome, **more)


def queued(search: PlannedSearch) -> dict[str, Any]:
    source = f"{address(2)}:40000"
    return event(
        search.at + 0.2, "upload_queued", search=search.name, item=search.meant, source=source, claimed=10, place=0
    )


def happened(searches: tuple[PlannedSearch, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The first is downloaded, the second waits to the end, the third is refused, and the fourth says nothing more."""
    done, waiting, refused, silent = searches[:4]
    for search in searches[:4]:
        yield from ((search.node, each) for each in asked(search))
    yield from (("n1", queued(search)) for search in (done, waiting, silent))
    yield done.node, event(done.at + 0.5, "download_began", search=done.name, bytes=1000)
    yield done.node, ended(done.at + 1.5, done, "done", bytes=1000)
    yield "n1", event(done.at + 1.6, "upload_ended", search=done.name, bytes=1000)
    yield waiting.node, ended(END - 1, waiting, "left")
    yield refused.node, ended(refused.at + 0.3, refused, "refused", bytes=0, why="503 Service Unavailable")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Report:
    run = tmp_path_factory.mktemp("run")
    (trial,) = write_run(run, FILES).trials
    searches = draw_scenario(settings_of(trial), hosts_of(trial)).searches
    assert len(searches) > 4
    traces: dict[str, Events] = {}
    for name, number in (("n1", 1), ("n2", 2), ("n3", 3)):
        own = [each for host, each in happened(searches) if host == name]
        own.append(event(0.5, "node_joined", overlay="gnutella", node=name, address=f"{address(number)}:6346", items=0))
        traces[name] = [header(-1), *sorted(own, key=lambda each: float(each["t"]))]
    hosts = {name: {"role": "node"} for name in traces}
    counters: list[Counts] = [(END, name, 1000, 10, 0, 500, 5, 1) for name in traces]
    write_trial(run, trial, Happened(traces, counters, END, hosts))
    found = report(run)
    assert not found.damages
    return found


def test_downloads_have_their_times_and_results(made: Report) -> None:
    found = made.tables.downloads
    assert list(found["result"]) == ["done", "left", "refused", "never ended"]
    assert set(found["holder"]) == {"n1"}
    assert set(found["group"]) == {"askers"}
    assert list(found["download_s"].fillna(-1)) == pytest.approx([1.4, -1, -1, -1])
    ats = found["asked_s"] - 0.1
    waits = [0.3, END - 1 - ats[1] - 0.2, nan, END - ats[3] - 0.2]
    assert list(found["waited_s"]) == pytest.approx(waits, nan_ok=True)
    assert list(found["content_bytes"].fillna(-1)) == [1000, -1, 0, -1]
    assert list(found["why"])[2] == "503 Service Unavailable"


def test_what_was_not_completed_counts_as_longest(made: Report) -> None:
    (row,) = made.tables.trials.to_dict("records")
    found = made.tables.downloads
    assert (row["downloads"], row["not_completed"], row["completed_share"]) == (4, 3, 1 / 4)
    assert isnan(row["download_median_s"])
    assert row["waiting_mean_s"] == pytest.approx(found["waited_s"].mean())
    assert row["download_rate"] == pytest.approx(8000 / (END - 1 - found["asked_s"].min()))
    groups = made.tables.groups.set_index("group")
    assert list(groups["downloads"]) == [0, 4]
    assert groups.loc["askers", "completed_share"] == 1 / 4
    assert made.tables.nodes.set_index("node").loc["n1", "uploaded"] == 1000
    assert "in 1 of 1 valid trials 3 of 4 downloads were not completed, and count as longer than all others" in (
        made.complaints
    )


def test_searches_have_the_time_of_their_download(made: Report) -> None:
    queries = made.tables.queries.set_index("search")["download_s"]
    downloads = made.tables.downloads.set_index("search")["download_s"]
    assert queries[downloads.index].equals(downloads)
    assert queries.count() == 1


@pytest.mark.parametrize(
    ("times", "quantile", "value"),
    [([1, 2, 3], 0.5, 2), ([1, nan, 3], 0.5, 3), ([1, nan, nan], 0.5, nan), ([], 0.5, nan)],
)
def test_quantiles_take_what_is_missing_as_longest(times: list[float], quantile: float, value: float) -> None:
    import pandas as pd

    assert quantile_with_missing(pd.Series(times, dtype=float), quantile) == pytest.approx(value, nan_ok=True)


def test_nodes_are_told_to_download(tmp_path: Path) -> None:
    for text, told in ((FILES, True), (FILES.replace("downloads: true\n", ""), None)):
        folder = tmp_path / str(told)
        folder.mkdir()
        context = context_of(folder, text)
        write_descriptions(context, {"servent": []})
        node = hosts_of(context.trial).nodes[0]
        assert json.loads(description_file(context, node).read_text()).get("downloads") is told


@pytest.mark.parametrize("text", [RING, DIRECTORY])
def test_overlays_without_files_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ExperimentError) as error:
        written(tmp_path, text + "downloads: true\n")
    (found,) = error.value.problems
    assert found.key == "downloads"
    assert "have no files for each other: leave this key out, or use gnutella" in found.message


def test_ids_of_trials_are_what_they_were_before_there_were_downloads(tmp_path: Path) -> None:
    without, with_files = (trial_of(tmp_path, text) for text in (FILES.replace("downloads: true\n", ""), FILES))
    assert "downloads" not in without.settings.identity()
    assert without.id != with_files.id


def test_estimate_grows_with_what_is_to_be_moved(tmp_path: Path) -> None:
    small, large = (
        planned(tmp_path, FILES.replace("1 kB", size)).trials[0].estimate.seconds for size in ("1 kB", "5 MB")
    )
    assert large > small + 30
