"""A small run folder whose numbers were computed by hand: see `runs.golden`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from testbed.results import Report, report
from tests.runfolder.runs import (
    DISTURBED,
    GOLDEN,
    Happened,
    connected,
    event,
    golden,
    header,
    joined,
    left,
    moved,
    opened,
    piece,
    write_run,
    write_trial,
)

HEADERS = 66


def reported(folder: Path, happened: Happened | None = None, text: str = GOLDEN) -> Report:
    """Write a run of one trial, and report it."""
    plan = write_run(folder, text)
    write_trial(folder, plan.trials[0], happened or golden())
    made = report(folder)
    assert made.damages == ()
    return made


@pytest.fixture
def made(tmp_path: Path) -> Report:
    return reported(tmp_path)


def only(table: pd.DataFrame, **values: object) -> Any:
    """Return the one row that has these values."""
    for name, value in values.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_times_are_compared_with_the_bound(made: Report) -> None:
    row = only(made.tables.trials)
    assert (row["N"], row["F"], row["u_s"], row["u_sum"], row["d_min"]) == (2, 2_000_000, 8e6, 8e6, 16e6)
    assert row["bound_s"] == pytest.approx(2.0)
    assert row["payload_bound_s"] == pytest.approx(2.0 * 1514 / 1448)
    assert row["client_server_bound_s"] == pytest.approx(4.0 * 1514 / 1448)
    assert (row["distribution_s"], row["completed"]) == (5.0, 2)
    assert row["ratio"] == pytest.approx(2.5)
    assert row["payload_ratio"] == pytest.approx(2.5 * 1448 / 1514)
    assert (row["completion_mean_s"], row["completion_median_s"]) == (4.5, 4.5)
    assert row["completion_p95_s"] == pytest.approx(4.95)


def test_jains_index_uses_normalised_rates(made: Report) -> None:
    peers = made.tables.peers.set_index("peer")
    assert peers["rate"].to_dict() == pytest.approx({"p1": 8 * 2.0e6 / 4, "p2": 8 * 2.0e6 / 5})
    assert peers["normalised_rate"].to_dict() == pytest.approx({"p1": 4 / 12, "p2": 3.2 / 12})
    assert only(made.tables.trials)["jain"] == pytest.approx(7.2**2 / (2 * (16 + 10.24)))


def test_utilisation_counts_frames_until_last_completion(made: Report) -> None:
    row = only(made.tables.trials)
    server = 1.01 * 3_000_000 + HEADERS * 2000
    peers = 1.01 * 1_250_000 + HEADERS * 900
    assert row["server_utilisation"] == pytest.approx(8 * server / (8e6 * 5))
    assert row["peer_utilisation"] == pytest.approx(8 * peers / (4e6 * 5 + 4e6 * 5))
    assert row["wire_bytes"] == pytest.approx(server + peers)


def test_payload_duplicates_and_control_bytes_are_distinguished(made: Report) -> None:
    row = only(made.tables.trials)
    assert row["seed_copies"] == 1.5
    assert (row["payload_bytes"], row["duplicate_bytes"]) == (4_250_000, 250_000)
    assert row["control_bytes"] == pytest.approx(42_500)
    assert row["payload_difference"] == pytest.approx(0.01)
    assert (row["drops"], row["verdict"], row["reasons"], row["payload_audit"]) == (9, "valid", "", "ok")
    assert row["link_error"] == pytest.approx(0.01)


def test_each_peer_has_a_row(made: Report) -> None:
    one, two = (only(made.tables.peers, peer=name) for name in ("p1", "p2"))
    assert (one["group"], one["up"], one["down"], one["up_measured"]) == ("fast", 4e6, 16e6, 3.9e6)
    assert pd.isna(one["down_measured"])
    assert (one["joined_s"], one["completed_s"], one["download_s"], one["lives"]) == (0.0, 4.0, 4.0, 1)
    assert (one["payload_received"], one["payload_sent"], one["share_ratio"]) == (2_000_000, 750_000, 0.375)
    assert (two["wasted_bytes"], two["left_s"], two["why_ended"]) == (250_000, 6.0, "at completion")
    assert two["wire_sent"] == 1.01 * 500_000 + HEADERS * 400


def test_groups_are_compared(made: Report) -> None:
    fast, slow = (only(made.tables.groups, group=name) for name in ("fast", "slow"))
    assert (fast["gain"], slow["gain"], fast["share"]) == (5 / 4, 4 / 5, 0.5)
    assert (fast["group_share_ratio"], slow["group_share_ratio"]) == (0.375, pytest.approx(2 / 9))


def test_transfers_have_bytes_and_unchoked_time(made: Report) -> None:
    columns = ["giver", "receiver", "bytes_sent", "bytes_received", "unchoked_s"]
    rows = {tuple(row[:2]): tuple(row[2:]) for row in made.tables.transfers[columns].itertuples(index=False)}
    assert rows["server", "p1"] == (1_500_000, 1_500_000, 7.5)
    assert rows["server", "p2"] == (1_500_000, 1_500_000, 3.0)
    assert rows["p1", "p2"] == (750_000, 750_000, pytest.approx(1.0 + 1.5))
    assert rows["p2", "p1"][:2] == (500_000, 500_000)
    assert len(rows) == 4


def test_timeline_counts_copies_every_second(made: Report) -> None:
    timeline = made.tables.timeline.set_index("t")
    assert timeline["copies_rarest"].tolist() == [1, 1, 2, 2, 3, 2, 2, 0]
    assert timeline["copies_mean"].tolist() == [1, 1.5, 2, 2.5, 3, 2, 2, 0]
    assert timeline["peers_completed"].tolist() == [0, 0, 0, 1, 2, 2, 2, 2]
    assert timeline["peers_present"].tolist() == [2, 2, 2, 2, 2, 2, 1, 1]
    assert timeline["completion"].tolist()[:3] == [0, 0.25, pytest.approx((1.5 + 2.0 - 0.25) / 4 + 0.0625)]
    assert timeline["payload_rate"].sum() == 8 * 4_250_000


def test_timeline_has_rates_of_each_second(made: Report) -> None:
    timeline = made.tables.timeline.set_index("t")
    a_second = 8 * (1.01 * 3_000_000 + HEADERS * 2000) / 4
    assert timeline["server_up_rate"].tolist() == pytest.approx([0, *[a_second] * 4, 0, 0, 0])
    assert timeline["server_utilisation"].max() == pytest.approx(a_second / 8e6)


def test_unfinished_peer_leaves_distribution_time_empty(tmp_path: Path) -> None:
    happened = golden()
    unfinished = [each for each in happened.traces["p2"] if each["event"] != "completed"]
    changed = replace(happened, traces={**happened.traces, "p2": unfinished}, stopped="time limit")
    made = reported(tmp_path, changed)
    row = only(made.tables.trials)
    assert pd.isna(row["distribution_s"])
    assert pd.isna(row["payload_ratio"])
    assert (row["completed"], row["completion_mean_s"], row["stopped"]) == (1, 4.0, "time limit")
    assert pd.isna(only(made.tables.peers, peer="p2")["download_s"])


def test_planned_early_departure_does_not_count(tmp_path: Path) -> None:
    happened = golden()
    unfinished = [each for each in happened.traces["p2"] if each["event"] != "completed"]
    text = GOLDEN.replace("slow: {count: 1,", "slow: {count: 1, departure: {after: 6 s},")
    made = reported(tmp_path, replace(happened, traces={**happened.traces, "p2": unfinished}), text)
    assert only(made.tables.trials)["distribution_s"] == 4.0


def test_killed_peer_has_row_with_reason(tmp_path: Path) -> None:
    happened = golden()
    torn = happened.traces["p2"][:10]
    died = {"p2": {"exit_code": None, "signal": "SIGKILL", "why": "killed by SIGKILL at 3.0 s"}}
    made = reported(tmp_path, replace(happened, traces={**happened.traces, "p2": torn}, hosts=died))
    row = only(made.tables.peers, peer="p2")
    assert row["why_ended"] == "killed by SIGKILL at 3.0 s"
    assert row["payload_received"] == 2_250_000
    assert made.tables.timeline["peers_present"].tolist() == [2, 2, 2, 1, 1, 1, 1, 1]


def test_returning_peer_is_one_host(tmp_path: Path) -> None:
    happened = golden()
    again = [
        header(3.2),
        joined(3.5, "p2again"),
        opened(3.5, 2, 1),
        *connected(3.6, 1, "198.18.0.1", "server"),
        moved(4.2, (1, 100, 0)),
        piece(4.5, 0, 2),
        event(4.5, "completed", received=0, sent=0, wasted=7),
        left(6.0, wasted=7),
    ]
    first = [*happened.traces["p2"][:-3], left(3.1, wasted=5, reason="away")]
    met = [*happened.traces["server"][:-1], *connected(3.6, 3, "198.19.0.4", "p2again"), moved(4.2, (3, 0, 100))]
    traces = {**happened.traces, "p2": [*first, *again], "server": [*met, left(8.0)]}
    made = reported(tmp_path, replace(happened, traces=traces))
    row = only(made.tables.peers, peer="p2")
    assert (row["lives"], row["wasted_bytes"], row["payload_received"], row["completed_s"]) == (2, 12, 2_250_100, 4.5)
    transfer = only(made.tables.transfers, giver="server", receiver="p2")
    assert (transfer["bytes_sent"], transfer["bytes_received"]) == (1_500_100, 1_500_100)
    timeline = made.tables.timeline.set_index("t")
    assert timeline["peers_present"].tolist()[3] == pytest.approx(1 + 0.1 + 0.5)
    assert timeline["copies_rarest"].tolist()[2:5] == [2, 2, 3]


def test_copies_need_a_trace_of_pieces(tmp_path: Path) -> None:
    made = reported(tmp_path, text=GOLDEN.replace("trace_level: pieces\n", ""))
    assert made.tables.timeline["copies_rarest"].isna().all()


def test_peer_with_unknown_pieces_leaves_copies_empty(tmp_path: Path) -> None:
    happened = golden()
    held = [each | {"have_count": 1} if each["event"] == "opened" else each for each in happened.traces["p1"]]
    made = reported(tmp_path, replace(happened, traces={**happened.traces, "p1": held}))
    assert made.tables.timeline["copies_mean"].isna().all()


def held_at_first(happened: Happened, *, completes: bool) -> Happened:
    """Change a trial so that p1 has piece 1 from the beginning, and gets piece 0 only if it completes."""
    late = {"piece_completed", "completed"} if not completes else set[str]()
    events = [each for each in happened.traces["p1"] if each.get("index") != 1 and each["event"] not in late]
    held = [each | {"have_count": 1} if each["event"] == "opened" else each for each in events]
    return replace(happened, traces={**happened.traces, "p1": held})


def test_initial_pieces_are_those_never_received(tmp_path: Path) -> None:
    timeline = reported(tmp_path, held_at_first(golden(), completes=True)).tables.timeline
    assert timeline["copies_rarest"].tolist() == [1, 2, 2, 2, 3, 2, 2, 0]
    assert timeline["copies_mean"].tolist() == [1.5, 2, 2.5, 2.5, 3, 2, 2, 0]


def test_initial_pieces_of_unfinished_peers_have_no_index(tmp_path: Path) -> None:
    timeline = reported(tmp_path, held_at_first(golden(), completes=False)).tables.timeline
    assert timeline["copies_mean"].tolist() == [1.5, 1.5, 2, 2, 2.5, 1.5, 1.5, 0]
    assert timeline["copies_rarest"].isna().tolist() == [True] * 7 + [False]


def test_audit_finds_bytes_that_no_link_carried(tmp_path: Path) -> None:
    happened = golden()
    more = [*happened.traces["p1"][:-1], moved(4.2, (1, 1_000_000, 0)), happened.traces["p1"][-1]]
    made = reported(tmp_path, replace(happened, traces={**happened.traces, "p1": more}))
    row = only(made.tables.trials)
    assert row["payload_difference"] == pytest.approx((1.01 * 4.25 - 5.25) / 5.25)
    assert row["payload_audit"].startswith("the links carried -18.2% ")
    assert [each.split(":")[0] for each in made.complaints] == [
        "in 1 of 1 trial the links did not carry the payload that the applications counted"
    ]


def test_audit_never_changes_the_verdict(tmp_path: Path) -> None:
    happened = golden()
    more = [*happened.traces["p1"][:-1], moved(4.2, (1, 1_000_000, 0)), happened.traces["p1"][-1]]
    made = reported(tmp_path, replace(happened, traces={**happened.traces, "p1": more}))
    row = only(made.tables.trials)
    assert (row["verdict"], row["reasons"], made.run.judged("suspect", "failed")) == ("valid", "", [])


@pytest.mark.parametrize(("dropped", "audit"), [(0, "the links carried"), (700, "ok")])
def test_audit_allows_for_dropped_bytes(tmp_path: Path, dropped: int, audit: str) -> None:
    """Uplinks carried 1 MB more; 700 segments are as much."""
    *before, server, one, two = golden().counters
    counters = [*before, (*server[:2], server[2] + 1_000_000, *server[3:]), (*one[:-1], one[-1] + dropped), two]
    row = only(reported(tmp_path, replace(golden(), counters=counters)).tables.trials)
    assert row["payload_difference"] == pytest.approx((1.01 * 4.25 + 1 - 4.25) / 4.25)
    assert row["payload_audit"].startswith(audit)


def test_audit_without_payload_is_empty(tmp_path: Path) -> None:
    made = reported(tmp_path, replace(golden(), traces={"server": [header(), joined(0.0, "server"), left(8.0)]}))
    assert only(made.tables.trials)["payload_audit"] == ""
    assert not any("payload" in each for each in made.complaints)


def test_incomplete_captures_say_what_they_lack(tmp_path: Path) -> None:
    captures = [
        {"host": "server", "file": "server.pcap.gz", "missed": 0},
        {"host": "p1", "file": "p1.pcap.gz", "missed": None},
        {"host": "p2", "file": "p2.0004.pcapng.gz", "missed": 3, "removed": 70, "place": "host"},
        {"host": "s1", "file": "s1.pcapng.gz", "missed": 0, "beyond_limit": 5, "place": "core"},
    ]
    row = only(reported(tmp_path, replace(golden(), captures=captures)).tables.trials)
    assert row["captures"] == (
        "p2 lacks 3 packets that the kernel had no room for and 70 packets in files that were removed; s1 lacks 5"
        " packets that came after the size limit; p1 may lack packets"
    )


def test_captures_without_losses_are_complete(tmp_path: Path) -> None:
    captures = [{"host": "p1", "file": "p1.pcapng.gz", "missed": 0}]
    assert only(reported(tmp_path, replace(golden(), captures=captures)).tables.trials)["captures"] == "complete"


def test_peer_that_never_completed_is_told(tmp_path: Path) -> None:
    happened = golden()
    unfinished = [each for each in happened.traces["p2"] if each["event"] != "completed"]
    made = reported(tmp_path, replace(happened, traces={**happened.traces, "p2": unfinished}))
    (complaint,) = made.complaints
    assert complaint.startswith("in 1 of 1 valid trial a peer never completed")


def test_verdict_comes_from_the_record(tmp_path: Path) -> None:
    row = only(reported(tmp_path, golden(fidelity=DISTURBED)).tables.trials)
    assert (row["verdict"], row["reasons"]) == ("suspect", "programs woke 30.0 ms late")


def test_late_peers_are_measured_from_their_arrival(tmp_path: Path) -> None:
    text = GOLDEN.replace("slow: {count: 1,", "slow: {count: 1, arrival: {at: 2 s},")
    made = reported(tmp_path, text=text)
    row = only(made.tables.peers, peer="p2")
    assert (row["arrival_s"], row["joined_s"], row["completed_s"], row["download_s"]) == (2.0, 2.0, 5.0, 3.0)
    assert row["rate"] == pytest.approx(8 * 2.0e6 / 3)


def test_same_traces_make_same_files(tmp_path: Path) -> None:
    text = GOLDEN + "figures: {done: {kind: cdf, series: group}, flows: {kind: flows}}\n"
    made = reported(tmp_path, text=text)
    before = {file: file.read_bytes() for file in made.files}
    assert {file: file.read_bytes() for file in report(tmp_path).files} == before
    assert {file.suffix for file in made.files} == {".csv", ".html", ".pdf", ".svg"}
    assert not list(tmp_path.glob("**/*.part"))
