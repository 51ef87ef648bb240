"""`testbed pcap`: what is in a capture file, and in the captures of a run."""

import csv
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testbed.experiment import Trial
from tests.cli.conftest import COMMAND, Terminal
from tests.runfolder.runs import GOLDEN, T0, addresses, golden, write_run, write_trial
from tests.wiretap.captures import BEGAN, SECOND, Pcapng, Talk, block, handshake, message, packed, pcap, piece

Run = Callable[..., subprocess.CompletedProcess[str]]
CHOKE, UNCHOKE, INTERESTED, HAVE, REQUEST = 0, 1, 2, 4, 6


def talk(ends: tuple[str, str] = ("198.18.0.1", "198.18.0.2")) -> Talk:
    """A connection: the first end asks for two blocks, gets them, and tells that it has the piece."""
    said = Talk(ends).open().say(0, handshake(b"-TB0100-aaaaaaaaaaaa")).say(1, handshake(b"-TB0100-bbbbbbbbbbbb"))
    said.say(0, message(INTERESTED)).say(1, message(UNCHOKE))
    for begin in (0, 16384):
        said.say(0, block(REQUEST, 0, begin, 16384)).say(1, piece(0, begin)).packet(0)
    return said.say(0, block(HAVE, 0)).say(1, message(CHOKE)).close()


def file_of(folder: Path, *talks: Talk, name: str = "some.pcap") -> Path:
    file = folder / name
    frames = sorted((frame for each in talks for frame in each.frames), key=lambda each: each[0])
    data = pcap(frames)
    file.write_bytes(packed(data) if name.endswith(".gz") else data)
    return file


def run_with_captures(folder: Path, change: Callable[[Trial, dict[str, str]], dict[str, list[Talk]]]) -> Path:
    """Write a run of one trial with a capture for each host that is given one; packets begin at t = 1 s."""
    plan = write_run(folder, GOLDEN)
    (trial,) = plan.trials
    left = write_trial(folder, trial, golden())
    record = json.loads((left / "trial.json").read_text())
    record["t0_unix"] = BEGAN / SECOND - 1.0
    where = addresses(trial)
    for host, talks in change(trial, where).items():
        file_of(left, *talks, name=f"{host}.pcap.gz")
        record.setdefault("captures", []).append({"host": host, "file": f"{host}.pcap.gz", "missed": 0})
    for host in record["hosts"]:
        host["group"] = {"p1": "fast", "p2": "slow"}.get(host["name"])
        host["trace"] = None
    (left / "trial.json").write_text(json.dumps(record))
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run whose peers p1 and p2 talked to each other; both were captured."""
    folder = tmp_path / "runs" / "small-20261121T000000Z"
    folder.mkdir(parents=True)

    def captured(_trial: Trial, where: dict[str, str]) -> dict[str, list[Talk]]:
        return {host: [talk((where["p1"], where["p2"]))] for host in ("p1", "p2")}

    return run_with_captures(folder, captured)


ALL = ["handshake", "handshake", "interested", "unchoke", "request", "piece", "request", "piece", "have", "choke"]


@pytest.mark.parametrize("name", ["some.pcap", "some.pcap.gz"])
def test_messages_of_file_are_listed(call: Run, tmp_path: Path, name: str) -> None:
    done = call("pcap", "messages", file_of(tmp_path, talk(), name=name))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["t", "(s)", "packet", "from", "to", "message"]
    assert len(lines) == 1 + len(ALL)
    assert "0.003000" in lines[1]
    assert "198.18.0.1:40000" in lines[1]
    assert lines[5].endswith("request 0:0+16384")


def test_names_of_capture_take_the_place_of_addresses(call: Run, tmp_path: Path) -> None:
    file = Pcapng().section().interface().names(homes1="198.18.0.1", server="198.18.0.2")
    for time, frame in talk().frames:
        file.packet(frame, time // 1000)
    (tmp_path / "named.pcapng").write_bytes(bytes(file.data))
    done = call("pcap", "messages", tmp_path / "named.pcapng", "--host", "homes1", "--type", "have")
    assert done.stdout.splitlines()[1].split()[2:] == ["homes1", "server", "have", "0"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--type", "have"], ["have"]),
        (["--type", "have", "--type", "unchoke"], ["unchoke", "have"]),
        (["--host", "198.18.0.2"], ALL),
        (["--type", "keep-alive"], []),
        (["--type", "not-interested"], []),
    ],
)
def test_messages_are_chosen_by_host_and_type(
    call: Run, tmp_path: Path, options: list[str], expected: list[str]
) -> None:
    done = call("pcap", "messages", file_of(tmp_path, talk()), "--json", *options)
    assert [json.loads(line)["message"] for line in done.stdout.splitlines()] == expected
    assert ("there is no such message" in done.stderr) is (not expected)


def test_csv_and_parquet_have_the_same_cells(call: Run, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    file = file_of(tmp_path, talk())
    text = call("pcap", "messages", file, "--csv", "-").stdout
    assert call("pcap", "messages", file, "--csv", tmp_path / "all.csv").stdout == ""
    assert (tmp_path / "all.csv").read_text() == text
    assert call("pcap", "messages", file, "--parquet", tmp_path / "all.parquet").returncode == 0
    rows = list(csv.DictReader(io.StringIO(text)))
    table = parquet.read_table(tmp_path / "all.parquet").to_pylist()
    assert [{name: "" if cell is None else str(cell) for name, cell in row.items()} for row in table] == rows
    assert [row["message"] for row in rows] == ALL
    assert rows[4] | {"index": "0", "begin": "0", "length": "16384", "bytes": "17", "offset": "73"} == rows[4]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["all.csv", "all.parquet", "some.pcap"]


@pytest.mark.parametrize("trial", [[], ["--trial", "1"], ["--trial", "r1"]])
def test_message_of_trial_that_two_hosts_captured_is_listed_once(call: Run, run: Path, trial: list[str]) -> None:
    done = call("pcap", "messages", run, "--json", *trial)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(each["message"] for each in found) == sorted(ALL)
    assert {(each["to"], each["place"]) for each in found} == {("p1", "p1"), ("p2", "p2")}, "as its receiver saw it"
    assert {(each["from"], each["from_group"]) for each in found} == {("p1", "fast"), ("p2", "slow")}
    assert min(each["t"] for each in found) == pytest.approx(1.003), "after t = 0 of the trial"


def test_messages_of_one_host_are_those_of_its_own_capture(call: Run, run: Path) -> None:
    done = call("pcap", "messages", "small", "--runs", run.parent, "--host", "p2", "--json")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["message"] for each in found] == ALL
    assert {each["place"] for each in found} == {"p2"}


def test_message_that_only_its_sender_captured_is_listed(call: Run, tmp_path: Path) -> None:
    folder = tmp_path / "small-20261121T000000Z"
    folder.mkdir()
    run_with_captures(folder, lambda _trial, where: {"p1": [talk((where["p1"], where["p2"]))]})
    done = call("pcap", "messages", folder, "--json")
    assert [json.loads(line)["message"] for line in done.stdout.splitlines()] == ALL


def test_summary_says_who_sent_how_many_haves_to_whom(call: Run, run: Path) -> None:
    done = call("pcap", "summary", run, "--host", "p1", "--type", "have")
    assert done.returncode == 0
    assert ["p1", "p2", "1"] in [line.split()[:3] for line in done.stdout.splitlines()]
    assert "unchoke" not in done.stdout


def test_summary_adds_up_messages_blocks_and_chokes(call: Run, run: Path) -> None:
    plain = json.loads(call("pcap", "summary", run, "--json").stdout)
    assert plain["messages"]["piece"] == {"count": 2, "bytes": 2 * 16397}
    (back,) = [pair for pair in plain["pairs"] if (pair["from"], pair["to"]) == ("p2", "p1")]
    assert (back["block_bytes"], back["to_group"], back["retransmitted_bytes"]) == (32768, "fast", 0)
    assert back["goodput_bit_s"] > 0
    (period,) = plain["unchoked"]
    assert (period["giver"], period["receiver"]) == ("p2", "p1")
    assert period["periods"] == [[pytest.approx(1.006), pytest.approx(1.0353)]] or len(period["periods"]) == 1
    assert set(plain["losses"].values()) == {0}
    shown = call("pcap", "summary", run).stdout
    assert "unchokes" in shown
    assert "32.8 kB" in shown


def test_flows_have_one_row_for_a_connection(call: Run, run: Path) -> None:
    (flow,) = json.loads(call("pcap", "flows", run, "--json").stdout)
    assert (flow["opener"], flow["acceptor"], flow["place"], flow["end"]) == ("p1", "p2", "p2", "closed")
    assert flow["application"] == "peer wire"
    assert call("pcap", "flows", run).stdout.splitlines()[-1].startswith("1 connection in")


@pytest.mark.parametrize("verb", ["messages", "summary", "flows"])
def test_tables_fit_the_terminal(run: Path, on_terminal: Callable[..., Terminal], verb: str) -> None:
    shown = on_terminal("pcap", verb, str(run), columns=80).read_to_end()
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("verb", ["messages", "summary", "flows"])
def test_capture_that_is_cut_short_is_read_as_far_as_it_goes(call: Run, tmp_path: Path, verb: str) -> None:
    file = file_of(tmp_path, talk())
    file.write_bytes(file.read_bytes()[:-20])
    done = call("pcap", verb, file)
    assert done.returncode == 1
    assert done.stdout
    assert "some.pcap" in done.stderr or "cut" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nothing.pcap"], "no such file"),
        (["garbage.pcap"], "no capture"),
        (["some.pcap", "--trial", "1"], "has no trials"),
        (["some.pcap", "--type", "hav"], "did you mean have?"),
        (["some.pcap", "--csv", "-", "--json"], "use only one of them"),
        (["RUN", "--host", "p9"], "there is no host 'p9'"),
        (["RUN", "--trial", "7"], "there is no trial 7"),
    ],
)
def test_what_cannot_be_read_is_explained(
    call: Run, run: Path, tmp_path: Path, arguments: list[str], problem: str
) -> None:
    file_of(tmp_path, talk())
    (tmp_path / "garbage.pcap").write_bytes(bytes(range(256)))
    named = {"RUN": run} | {word: tmp_path / word for word in arguments if word.endswith(".pcap")}
    done = call("pcap", "messages", *(named.get(word, word) for word in arguments))
    assert (done.returncode, done.stdout) == (2, "")
    assert problem in done.stderr


def test_run_without_captures_says_how_to_make_them(call: Run, tmp_path: Path) -> None:
    plan = write_run(tmp_path, GOLDEN)
    write_trial(tmp_path, plan.trials[0], golden())
    for words in (["pcap", "messages", str(tmp_path)], ["audit", str(tmp_path)]):
        done = call(*words)
        assert done.returncode == 2
        assert "capture:" in done.stderr


def test_run_of_several_trials_asks_for_one(call: Run, tmp_path: Path) -> None:
    plan = write_run(tmp_path, GOLDEN + "repeat: 2\n")
    for trial in plan.trials:
        write_trial(tmp_path, trial, golden())
    done = call("pcap", "messages", tmp_path)
    assert done.returncode == 2
    assert "has 2 trials" in done.stderr
    assert "--trial 1" in done.stderr


def test_reader_that_leaves_ends_the_command_quietly(tmp_path: Path) -> None:
    talks = [talk(("198.18.1.1", f"198.18.0.{number}")) for number in range(1, 250)]
    file = file_of(tmp_path, *talks)
    command = f"{COMMAND} pcap messages {file} | head -n 3; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.count("\n"), done.stderr, done.returncode) == (3, "", 0)


def test_linked_capture_of_run_is_refused(call: Run, run: Path, tmp_path: Path) -> None:
    (left,) = (run / "trials").iterdir()
    secret = file_of(tmp_path, talk(), name="secret.pcap.gz")
    (left / "p1.pcap.gz").unlink()
    (left / "p1.pcap.gz").symlink_to(secret)
    done = call("pcap", "messages", run)
    assert done.returncode == 2
    assert "symbolic link" in done.stderr


def test_times_are_those_of_the_traces_where_there_are_some(call: Run, run: Path) -> None:
    (left,) = (run / "trials").iterdir()
    record: dict[str, Any] = json.loads((left / "trial.json").read_text())
    for host in record["hosts"]:
        host["trace"] = "p1.jsonl.gz" if host["name"] == "p1" else None
    record["t0_unix"] = 12.0
    (left / "trial.json").write_text(json.dumps(record))
    lines = [{"t": T0, "event": "trace", "version": 1, "unix": BEGAN / SECOND}]
    (left / "p1.jsonl.gz").write_bytes(packed("".join(json.dumps(line) + "\n" for line in lines).encode()))
    found = [json.loads(line) for line in call("pcap", "messages", run, "--json").stdout.splitlines()]
    assert min(each["t"] for each in found) == pytest.approx(0.003, abs=1e-4)
