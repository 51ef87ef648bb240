"""Commands that only read and plan do not import the packages that make tables and figures."""

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


@pytest.mark.parametrize("arguments", ["--help", "schema", "topologies", f"check {QUICKSTART}", f"plan {QUICKSTART}"])
def test_planning_command_is_light(arguments: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments.split()], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stderr.strip() == ""


def test_results_package_is_heavy() -> None:
    """Shows that the tests above would notice the packages."""
    result = subprocess.run(
        [sys.executable, "-c", f"import testbed.results\n{PROGRAM}", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert result.stderr.split() == list(HEAVY)


def test_serving_is_light_until_a_page_is_made() -> None:
    program = "import sys, testbed.serving.server, testbed.serving.reader.glances; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert not set(HEAVY) & set(result.stdout.split())


def test_running_a_trial_is_light() -> None:
    program = (
        "import sys, testbed.cli.experiment.run, testbed.runs.run_all, testbed.trial.emulated; print(*sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert not set(HEAVY) & set(result.stdout.split())
