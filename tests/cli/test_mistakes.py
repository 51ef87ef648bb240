"""Mistakes that a new user makes, and what the commands say about each."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.tasks.distribute.programs.schemes import SCHEMES
from testbed.tasks.distribute.schema.keys import APPLICATIONS, SERVERS_ALSO
from tests.cli.mistakes import HOSTS, MISTAKES, UNKNOWN_AT_TOP, swarm

Run = Callable[..., subprocess.CompletedProcess[str]]


def said_about(call: Run, folder: Path, text: str) -> list[str]:
    """Return the lines that `testbed check` prints about a file, without its name."""
    file = folder / "x.yaml"
    file.write_text(text)
    result = call("check", file)
    assert (result.returncode, result.stdout) == (2, "")
    return [line.removeprefix(f"testbed: {file}:") for line in result.stderr.splitlines()]


@pytest.mark.parametrize(("text", "says"), MISTAKES.items())
def test_mistake_is_explained_in_one_line(call: Run, tmp_path: Path, text: str, says: str) -> None:
    assert said_about(call, tmp_path, text) == [says]


@pytest.mark.parametrize(("text", "says"), UNKNOWN_AT_TOP.items())
def test_unknown_key_at_the_top_is_explained(call: Run, tmp_path: Path, text: str, says: str) -> None:
    (said,) = said_about(call, tmp_path, text)
    assert said.startswith(says)
    assert said.endswith(", and those of your own that begin with x-")


@pytest.mark.parametrize(
    ("wrong", "right"), [("upload", "up"), ("bandwidth", "up"), ("number", "count"), ("n", "count")]
)
def test_other_name_of_required_key_is_recognised(call: Run, tmp_path: Path, wrong: str, right: str) -> None:
    keys = {"count": "count: 3", "up": "up: 1 Mbit/s"}
    keys[right] = keys[right].replace(right, wrong)
    missing, unknown = said_about(call, tmp_path, swarm(f"  homes: {{{keys['count']}, {keys['up']}}}"))
    assert missing == f"4:3: peers.homes.{right}: is required (was {wrong!r} meant to be this key?)"
    assert f": peers.homes.{wrong}: unknown key (did you mean {right}?): the keys here are {HOSTS}" in unknown


def test_decimal_comma_is_recognised(call: Run, tmp_path: Path) -> None:
    _, said = said_about(call, tmp_path, swarm(servers="{up: 8,5 Mbit/s}"))
    assert said.startswith("2:17: servers.5 Mbit/s: unknown key (is the comma before it a decimal one? Write a point)")


def test_key_at_wrong_indentation_is_recognised(call: Run, tmp_path: Path) -> None:
    missing, said = said_about(call, tmp_path, swarm(servers="\nup: 8 Mbit/s"))
    assert missing == "2:1: servers: is required with `peers:`"
    assert "up: unknown key (it belongs to servers or peers.NAME: is its indentation right?)" in said


def test_applications_of_the_schema_have_adapters() -> None:
    assert {name: {*scheme.adapters, *scheme.others} for name, scheme in SCHEMES.items()} == {
        name: {*known, *SERVERS_ALSO[name]} for name, known in APPLICATIONS.items()
    }


@pytest.mark.parametrize(
    ("name", "hint"),
    [("quickstrat", " (did you mean quickstart?)"), ("slybi.yml", " (did you mean sybil?)"), ("nothing.yaml", "")],
)
def test_unknown_experiment_has_nearest_shipped_name(
    call: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, hint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if name == "quickstart.yml":
        assert call("check", name).returncode == 0
        return
    assert call("check", name).stderr == (
        f"testbed: {name}: no such file or directory, nor a shipped experiment{hint}: `testbed experiments` lists"
        " these\n"
    )


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / "small.yaml"
    file.write_text(swarm())
    return file


@pytest.mark.parametrize("below", ["", "/further/below"])
def test_runs_folder_that_is_a_file_is_refused_before_a_run(call: Run, small: Path, below: str) -> None:
    result = call("run", small, "--quiet", "--runs", f"{small}{below}")
    advice = "name another folder with --runs (or TESTBED_RUNS), where you can write"
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"testbed: {small}{below} is not a folder: {advice}\n"


def test_runs_folder_of_a_network_is_checked_too(call: Run, tmp_path: Path) -> None:
    file = tmp_path / "network.yaml"
    file.write_text("topology: {class: star, n: 2, up: 8 Mbit/s}\n")
    result = call("run", file, "--runs", file)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"testbed: {file} is not a folder: name another folder with --runs")


@pytest.mark.kernel
def test_unwritable_runs_folder_is_refused_before_a_run(small: Path, command: Path) -> None:
    place = small.with_name("place")
    place.mkdir()
    script = 'mount -t tmpfs -o ro tmpfs "$0" && "$1" run "$2" --quiet --runs "$0/runs"'
    result = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script, place, command, small],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        f"testbed: {place}/runs: run folders cannot be created there (read-only file system): name another folder with"
        " --runs (or TESTBED_RUNS), where you can write\n"
    )


def test_report_on_all_runs_names_the_latest(call: Run, tmp_path: Path) -> None:
    for name in ("small-1", "small-2"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "plan.json").touch()
    runs = tmp_path / "runs"
    result = call("report", runs)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"testbed: {runs} holds 2 runs: name one of them, such as {runs}/small-2, the latest\n"


def test_own_keys_at_the_top_hold_anchors(call: Run, tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    anchors = "x-home: &home {up: 1 Mbit/s, down: 8 Mbit/s}\nx-note: whatever\n"
    file.write_text(anchors + swarm("  homes: {<<: *home, count: 3}\n  others: {<<: *home, count: 2}"))
    result = call("check", file)
    assert (result.returncode, result.stderr) == (0, "")
