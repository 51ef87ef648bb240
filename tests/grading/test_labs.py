"""docs/labs: what is asked can be done, and what should not pass does not."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.experiment import make_plan, read_experiment
from testbed.grading.marking import Question, read_marking
from testbed.theory.bounds import Downloader, Swarm, client_server_bound, p2p_bound

LABS = Path(__file__).parents[2] / "docs" / "labs"
MARKINGS = sorted(LABS.glob("*.marking.yaml"))
SIZE = 4 * 2**20 * 8 * 1514 / 1448
"""The bits of the file, with the headers of its packets."""

REFERENCE = """
RATE = 25_000
MOST = 20


class MyChoker:
    def __init__(self, rng: Random) -> None:
        pass

    def allocate(self, view: ChokingView) -> Allocation:
        wanting = [candidate for candidate in view.candidates if candidate.is_interested]
        wanting.sort(key=lambda candidate: candidate.received_rate, reverse=True)
        return Allocation({candidate.key: Grant("mine", RATE) for candidate in wanting[:MOST]})


"""


@pytest.mark.parametrize("file", MARKINGS, ids=lambda file: file.name)
def test_expectations_fit_the_starting_file(file: Path, tmp_path: Path) -> None:
    marking = read_marking(file)
    answers = {name: ["p1"] for question in marking.questions for name in question.needs}
    filled = [text for question in marking.questions for text in question.filled(answers)]
    for module in LABS.glob("*.py"):
        (tmp_path / module.name).write_text(module.read_text())
    (tmp_path / "x.yaml").write_text(f"{marking.start.text}\nexpect: {json.dumps(filled)}\n")
    assert len(make_plan(read_experiment(tmp_path / "x.yaml")).expect) == len(filled) > 2


@pytest.mark.parametrize("file", MARKINGS, ids=lambda file: file.name)
def test_pages_name_the_points(file: Path) -> None:
    marking, page = read_marking(file), file.with_name(file.name.replace(".marking.yaml", ".md")).read_text()
    assert f"Of {marking.points} points, {marking.pass_points} are needed" in page.replace("\n", " ")


def test_size_the_server_asks_for_the_bound() -> None:
    """The limits are a tenth above the least rate that can keep the deadline."""
    for question in read_marking(LABS / "size-the-server.marking.yaml").questions:
        limit, distribution, n = _limit(question)
        time = client_server_bound if distribution == "client-server" else p2p_bound
        peers = tuple([Downloader(up=2e6, down=20e6)] * n)
        assert time(Swarm(SIZE, limit / 1.1, peers)).seconds < 16.2
        assert time(Swarm(SIZE, limit / 1.3, peers)).seconds > 16.1


def _limit(question: Question) -> tuple[float, str, int]:
    found = re.fullmatch(r"u_s.max <= (.*) Mbit/s where distribution = (.*) and N = (.*)", question.expect[1])
    assert found
    return float(found[1]) * 1e6, found[2], int(found[3])


def tried(file: Path, trial: int, *options: str) -> dict[str, dict[str, float]]:
    """Perform one trial in virtual time, and return what each peer took and gave."""
    argv = [sys.executable, "-m", "testbed", "try", file, "--trial", str(trial), "--json", "-q", *options]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120)
    return {
        peer["name"]: {
            "seconds": peer["completed"] - peer["joined"],
            "ratio": peer["sent"] / peer["received"],
        }
        for peer in json.loads(done.stdout)["participants"]
    }


@pytest.mark.parametrize(
    ("choker", "least", "most"), [(REFERENCE, 1.33, 3), ("", 0.8, 1.2)], ids=["reference", "unchanged"]
)
def test_tit_for_tat_can_be_beaten_and_is_not_by_itself(tmp_path: Path, choker: str, least: float, most: float) -> None:
    file = tmp_path / "beat-tit-for-tat.yaml"
    file.write_text((LABS / file.name).read_text())
    module = (LABS / "my_strategy.py").read_text()
    if choker:
        module = module[: module.index("class MyChoker")] + choker.lstrip() + module[module.index("def mine") :]
    (tmp_path / "my_strategy.py").write_text(module)
    standard, mine = (tried(file, number)["p1"] for number in (1, 2))
    assert least < standard["seconds"] / mine["seconds"] < most
    assert (mine["ratio"] < 3) == bool(choker)


@pytest.mark.parametrize("seed", [4, 20])
def test_free_riders_can_be_told_apart(seed: int) -> None:
    ratios = [peer["ratio"] for peer in tried(LABS / "find-the-free-rider.yaml", 1, "--seed", str(seed)).values()]
    silent = [ratio for ratio in ratios if ratio == 0]
    stingy = [ratio for ratio in ratios if 0 < ratio < 0.3]
    ordinary = [ratio for ratio in ratios if ratio > 0.6]
    assert len(silent) + len(stingy) + len(ordinary) == len(ratios)
    assert silent or stingy
