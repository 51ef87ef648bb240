"""`python -m peer strategies` and `simulate`: code that nobody has tried, and answers as lines of JSON."""

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from peer.process.exit_status import ExitStatus

USE = {"strategy": "tit-for-tat", "set": [], "departure": None, "profile": "course", "time_scale": 10}


def ask(command: str, question: object, folder: Path) -> subprocess.CompletedProcess[str]:
    confinement = {"folder": str(folder), "seconds": 5, "memory": 1 << 30, "owner": None}
    text = question if isinstance(question, str) else json.dumps({**confinement, **question})  # type: ignore[dict-item]
    argv = [sys.executable, "-P", "-m", "peer", command]
    return subprocess.run(argv, input=text, capture_output=True, text=True, timeout=60, check=False)


def answers(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("command", ["strategies", "simulate"])
@pytest.mark.parametrize("question", ["", "[]", "{"])
def test_question_that_is_no_object_is_an_exit_code(command: str, question: str, tmp_path: Path) -> None:
    done = ask(command, question, tmp_path)
    assert done.returncode == ExitStatus.USAGE
    assert done.stderr.startswith(f"{command}: standard input: expected ")


def test_each_strategy_is_begun_and_answered(tmp_path: Path) -> None:
    uses = [USE, {**USE, "set": ["slots=0"]}, {**USE, "departure": "soon"}, {**USE, "strategy": "tit4tat"}]
    found = answers(ask("strategies", {"strategies": uses}, tmp_path))
    assert [(each["number"], each["state"]) for each in found[::2]] == [(k, "begun") for k in range(4)]
    assert [(each["state"], each.get("parameter")) for each in found[1::2]] == [
        ("made", None),
        ("refused", "slots"),
        ("refused", "departure"),
        ("refused", ""),
    ]


def test_code_has_limits_and_cannot_answer_by_printing(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "import resource, sys\nprint('{}')\n"
        "raise ValueError(resource.getrlimit(resource.RLIMIT_DATA), resource.getrlimit(resource.RLIMIT_CORE),"
        " sys.dont_write_bytecode)\n"
    )
    done = ask("strategies", {"strategies": [{**USE, "strategy": "own:make"}]}, tmp_path)
    _, refused = answers(done)
    assert refused["problem"].endswith("ValueError: ((1073741824, 1073741824), (0, 0), True)")
    assert refused["lines"] == [[str(tmp_path / "own.py"), 3, "<module>"]]
    assert done.stderr == "{}\n"
    assert resource.getrlimit(resource.RLIMIT_DATA)[0] != 1 << 30


def test_simulated_trial_tells_progress_and_result(tmp_path: Path) -> None:
    peer = {**USE, "up": 1e5, "down": None, "delay": 0.01, "capacity": 1e5, "arrival": 0, "held": 0, "moves": False}
    peers = [{**peer, "name": name, "seed": k, "is_server": k == 0} for k, name in enumerate(("server", "p1", "p2"))]
    trial = {"length": 1 << 20, "piece_length": 1 << 15, "seed": 1}
    trial |= {"numwant": 50, "seeds_meet_seeds": True, "announce_interval": 180}
    first, *_, last = answers(ask("simulate", {**trial, "time_limit": 60, "peers": peers}, tmp_path))
    assert (first["state"], len(first["shares"])) == ("running", 2)
    assert (last["state"], last["stopped"]) == ("ended", "complete")
    assert [each["name"] for each in last["peers"]] == ["p1", "p2"]
