"""`testbed check` makes every strategy once: what is wrong with one is told with the lines of both files."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.tasks.distribute.programs import strategies

Run = Callable[..., subprocess.CompletedProcess[str]]
SWARM = """\
file: {size: 4 MiB}
servers: {up: 8 Mbit/s}
peers:
  homes:
    count: 4
    up: 1 Mbit/s
    strategy: tit-for-tat
"""
HEAD = "from peer.bittorrent.strategies.api import tit_for_tat\n"
GOOD = HEAD + "def make(profile, rng, *, most=3, departure='stay'):\n    return tit_for_tat(profile, rng, slots=most)\n"
NOBODY = 65534


@pytest.fixture
def swarm(tmp_path: Path) -> Path:
    file = tmp_path / "swarm.yaml"
    file.write_text(SWARM.replace("tit-for-tat", "own:make"))
    return file


def write_module(swarm: Path, text: str) -> None:
    swarm.with_name("own.py").write_text(text)


def told(result: subprocess.CompletedProcess[str], swarm: Path) -> str:
    """Return the one line of standard error, without the folder."""
    assert (result.returncode, result.stdout) == (2, ""), result
    (line,) = result.stderr.splitlines()
    return line.replace(f"{swarm.parent}/", "")


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (
            "{class: bittyrant, exces: withheld}",
            "7:34: peers.homes.strategy.exces: bittyrant: there is no parameter exces (did you mean excess?); it takes",
        ),
        (
            "{class: bittyrant, excess: kept}",
            "7:34: peers.homes.strategy.excess: bittyrant: excess: expected donated or withheld, found 'kept'",
        ),
        (
            "{class: tit-for-tat, slots: many}",
            "7:36: peers.homes.strategy.slots: tit-for-tat: slots: expected a whole number, 1 or more, found 'many'",
        ),
        (
            "{class: tit-for-tat, departure: soon}",
            "7:36: peers.homes.strategy.departure: tit-for-tat: departure: expected",
        ),
        (
            "nowhere:make",
            "7:5: peers.homes.strategy: nowhere:make: module nowhere cannot be imported: No module named 'nowhere'",
        ),
    ],
)
def test_wrong_parameter_of_a_shipped_strategy_is_at_its_place(
    call: Run, swarm: Path, strategy: str, expected: str
) -> None:
    swarm.write_text(SWARM.replace("tit-for-tat", strategy))
    assert told(call("check", swarm), swarm).startswith(f"testbed: swarm.yaml:{expected}")


def test_good_strategy_of_a_user_is_valid(call: Run, swarm: Path) -> None:
    write_module(swarm, GOOD)
    result = call("check", swarm)
    assert (result.returncode, result.stderr) == (0, "")
    assert sorted(path.name for path in swarm.parent.iterdir()) == ["own.py", "swarm.yaml"]


def test_misspelt_parameter_of_a_users_strategy_is_at_its_place(call: Run, swarm: Path) -> None:
    swarm.write_text(SWARM.replace("tit-for-tat", "{class: 'own:make', mosst: 4}"))
    write_module(swarm, GOOD)
    expected = "there is no parameter mosst (did you mean most?); it takes most, departure"
    assert (
        told(call("check", swarm), swarm)
        == f"testbed: swarm.yaml:7:35: peers.homes.strategy.mosst: own:make: {expected}"
    )


def test_departure_that_a_users_strategy_does_not_take_is_refused(call: Run, swarm: Path) -> None:
    swarm.write_text(swarm.read_text() + "    departure: {after: 1 min}\n")
    write_module(swarm, HEAD + "def make(profile, rng): return tit_for_tat(profile, rng)\n")
    expected = "own:make: there is no parameter departure; it takes none"
    assert told(call("check", swarm), swarm) == f"testbed: swarm.yaml:8:5: peers.homes.departure: {expected}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def make(profile, rng:\n", "own.py:1: not Python: '(' was never closed"),
        ("def other(): pass\n", "own.py has no class or function 'make': it has other"),
        (f"import nunpy\n{GOOD}", "module own cannot be imported: No module named 'nunpy' (own.py:1)"),
        (f"x = 1\ny = x / 0\n{GOOD}", "module own cannot be imported: ZeroDivisionError: division by zero (own.py:2)"),
        (
            HEAD + "def make(profile): return tit_for_tat(profile, None)\n",
            "with the profile, a random source, and the parameters by their names (own.py:2, in make)",
        ),
        ("def make(profile, rng):\n    return 5\n", "expected it to make a Strategy, found int (own.py:1, in make)"),
        (
            "class make:\n    def __init__(self, profile, rng):\n        self.slots = profile.slot\n",
            "AttributeError: 'Profile' object has no attribute 'slot' (own.py:3, in __init__)",
        ),
        (
            f"block = bytearray(4 << 30)\n{GOOD}",
            "module own cannot be imported: MemoryError: it needs more memory than it may have (own.py:1)",
        ),
        (f"import os\nos._exit(3)\n{GOOD}", "it ended its process with exit status 3"),
        (f"import sys\nsys.exit('bye')\n{GOOD}", "SystemExit: bye (own.py:2)"),
        (f"import ctypes\nctypes.string_at(0)\n{GOOD}", "it crashed: Segmentation fault (SIGSEGV) (own.py:2)"),
        (f"import os\nos.kill(os.getpid(), 9)\n{GOOD}", "it crashed: Killed (SIGKILL)"),
        (f"def f():\n    f()\nf()\n{GOOD}", "RecursionError: maximum recursion depth exceeded (own.py:2, in f)"),
    ],
)
def test_broken_module_is_told_as_what_it_is(call: Run, swarm: Path, text: str, expected: str) -> None:
    write_module(swarm, text)
    line = told(call("check", swarm), swarm)
    assert line.startswith("testbed: swarm.yaml:7:5: peers.homes.strategy: ")
    assert line.endswith(expected)


@pytest.mark.parametrize(
    "loop", ["while True: pass", "import time; time.sleep(60)", "import re; re.match('(a*)*b', 'a' * 99)"]
)
@pytest.mark.parametrize("place", ["{loop}\n{good}", "{head}def make(profile, rng):\n    {loop}\n"])
def test_endless_loop_is_told_with_its_line(
    call: Run, swarm: Path, monkeypatch: pytest.MonkeyPatch, loop: str, place: str
) -> None:
    monkeypatch.setattr(strategies, "SECONDS", 1)
    write_module(swarm, place.format(loop=loop, head=HEAD, good=GOOD))
    line = told(call("check", swarm), swarm)
    where = "own.py:1)" if place.startswith("{loop}") else "own.py:3, in make)"
    assert line.endswith(f"own:make: it does not end: it still runs after 1 s ({where}")


def test_prints_and_programs_of_a_module_are_no_trouble(call: Run, swarm: Path) -> None:
    """Neither a program that it starts nor its threads are waited for, and what it prints is no answer."""
    noise = "import subprocess, threading, time\nprint('{}' * 100_000)\nsubprocess.Popen(['sleep', '60'])\n"
    threads = "threading.Thread(target=time.sleep, args=[60]).start()\n"
    write_module(swarm, noise + threads + GOOD)
    result = call("check", swarm)
    assert (result.returncode, result.stderr) == (0, "")


def test_every_wrong_strategy_is_listed_once_in_order(call: Run, swarm: Path) -> None:
    group = "  more: {count: 1, up: 1 Mbit/s, strategy: {class: swift, spede: 1}}\n"
    swept = "  peers.homes.strategy: [tit-for-tat, {class: propshare, slots: 2}, {class: sybil, count: 2}]\n"
    swarm.write_text(f"{SWARM}{group}sweep:\n{swept}repeat: 2\n")
    result = call("check", swarm)
    assert [line.split(": ")[1].removeprefix(f"{swarm}:") for line in result.stderr.splitlines()] == [
        f"8:{group.index('spede') + 1}",
        f"10:{swept.index('count') + 1}",
    ]


@pytest.mark.parametrize("command", ["plan", "run"])
def test_plan_and_run_refuse_wrong_strategies_too(call: Run, swarm: Path, command: str) -> None:
    write_module(swarm, "import os\nos._exit(3)\n" + GOOD)
    assert told(call(command, swarm), swarm).endswith("it ended its process with exit status 3")
    assert not (swarm.parent / "runs").exists()


def test_module_finds_what_it_finds_in_a_trial(
    call: Run, swarm: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Only modules that the experiment names go with it; a helper beside them does not, but one in the folder does."""
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    swarm.with_name("helper.py").write_text("most = 3\n")
    write_module(swarm, f"import helper\n{GOOD}")
    assert told(call("check", swarm), swarm).endswith("No module named 'helper' (own.py:1)")
    monkeypatch.chdir(swarm.parent)
    assert call("check", swarm.name).returncode == 0
    assert not (swarm.parent / "__pycache__").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_runs_the_code_of_others_as_themselves(call: Run, swarm: Path) -> None:
    write_module(swarm, f"import os\nraise ValueError(os.getuid(), os.getgid(), os.getgroups())\n{GOOD}")
    os.chown(swarm.with_name("own.py"), NOBODY, NOBODY)
    assert told(call("check", swarm), swarm).endswith(f"ValueError: ({NOBODY}, {NOBODY}, []) (own.py:2)")


def test_packages_can_be_used_within_the_limits(call: Run, swarm: Path) -> None:
    write_module(swarm, f"import numpy\n{GOOD}")
    assert call("check", swarm).returncode == 0, sys.version
