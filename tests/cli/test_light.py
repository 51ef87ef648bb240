"""What only reads and plans does not wait for the packages that make tables and figures."""

import subprocess
import sys
from pathlib import Path

import pytest

QUICKSTART = Path(__file__).parents[2] / "experiments" / "quickstart.yaml"
HEAVY = ("matplotlib", "numpy", "pandas", "scipy")
PROGRAM = f"""
import sys
from testbed.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print(*(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize("words", ["--help", "schema", "topologies", f"check {QUICKSTART}", f"plan {QUICKSTART}"])
def test_a_command_is_light(words: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words.split()], capture_output=True, text=True, timeout=60, check=True
    )
    assert answer.stderr.strip() == ""


def test_reading_a_run_is_not_and_the_test_would_see_it() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", f"import testbed.results\n{PROGRAM}", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert answer.stderr.split() == list(HEAVY)


def test_running_a_trial_is_light() -> None:
    program = "import sys, testbed.cli.run, testbed.runs.run_all, testbed.trial.emulated; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert not set(HEAVY) & set(answer.stdout.split())
