"""A strategy in a module beside the experiment file is a part of the plan; its mistakes are found before a run."""

from pathlib import Path

import pytest

from testbed.experiment import (
    ExperimentError,
    Plan,
    make_plan,
    read_experiment,
)

OWN = "def clever(profile, rng):\n    return None\n"


def plan(folder: Path, strategies: str = "[tit-for-tat, 'mine:clever']", modules: dict[str, str] | None = None) -> Plan:
    """Plan an experiment with modules beside it; its second point uses one of their strategies."""
    for name, text in ({"mine.py": OWN} if modules is None else modules).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    file = folder / "x.yaml"
    file.write_text(f"""\
file: {{size: 4 MiB}}
servers: {{up: 8 Mbit/s}}
peers: {{one: {{count: 1, up: 8 Mbit/s}}}}
sweep: {{peers.one.strategy: {strategies}}}
""")
    return make_plan(read_experiment(file))


def test_plan_has_text_of_used_modules(tmp_path: Path) -> None:
    first, second = plan(tmp_path).trials
    assert (first.settings.modules, second.settings.modules) == ({}, {"mine": OWN})


def test_changed_module_changes_only_its_trials(tmp_path: Path) -> None:
    before = [trial.id for trial in plan(tmp_path).trials]
    after = [trial.id for trial in plan(tmp_path, modules={"mine.py": OWN + "\n"}).trials]
    assert (before[0] == after[0], before[1] == after[1]) == (True, False)


def test_module_can_be_in_a_folder(tmp_path: Path) -> None:
    (trial,) = plan(tmp_path, "['own.mine:clever']", {"own/mine.py": OWN}).trials
    assert trial.settings.modules == {"own.mine": OWN}


@pytest.mark.parametrize("reference", ["installed:clever", "installed.part:clever"])
def test_module_elsewhere_is_left_to_the_peer(tmp_path: Path, reference: str) -> None:
    (trial,) = plan(tmp_path, f"['{reference}']").trials
    assert trial.settings.modules == {}


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("mine.py:clever", "'mine.py' is a path: write the name of the module alone, as in mine:clever"),
        ("./mine.py:clever", "'./mine.py' is a path: write the name of the module alone, as in mine:clever"),
        ("..mine:clever", "'..mine:clever' is not of the form module:Class, such as my_client:Clever"),
        ("mine:", "'mine:' is not of the form module:Class, such as my_client:Clever"),
        ("mine.py", "'mine.py' is a file: write mine:Class, with the name of its class"),
        ("mine.clever", "unknown strategy 'mine.clever': for a class of your own, write mine:clever"),
    ],
)
def test_other_spelling_of_module_is_explained(tmp_path: Path, reference: str, says: str) -> None:
    with pytest.raises(ExperimentError) as raised:
        plan(tmp_path, f"['{reference}']")
    assert [problem.message for problem in raised.value.problems] == [says]


@pytest.mark.parametrize(
    "text",
    [
        "class clever: pass",
        "clever = print",
        "from elsewhere import clever",
        "from elsewhere import other as clever",
        "from elsewhere import *",
        "try:\n    from fast import clever\nexcept ImportError:\n    from slow import clever",
    ],
)
def test_strategy_can_be_any_definition(tmp_path: Path, text: str) -> None:
    (trial,) = plan(tmp_path, "['mine:clever']", {"mine.py": text}).trials
    assert trial.settings.modules == {"mine": text}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def clevre(): pass", "mine.py has no class or function 'clever' (did you mean clevre?)"),
        ("def one(): pass\nclass Two: pass", "mine.py has no class or function 'clever': it has one, Two"),
        ("", "mine.py has no class or function 'clever': it defines none"),
        ("x = 1\ndef clever(:\n", "mine.py:2: not Python: "),
        ("print 'clever'\n", "mine.py:1: not Python: Missing parentheses in call to 'print'"),
        (f"clever = {'(' * 500}{')' * 500}", "mine.py:1: not Python: too many nested parentheses"),
        ("\0", "mine.py: not Python: "),
    ],
)
def test_module_mistake_has_its_place_in_the_experiment(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ExperimentError) as raised:
        plan(tmp_path, modules={"mine.py": text})
    (problem,) = raised.value.problems
    assert (problem.place.line, problem.place.column) == (4, 43)
    assert says in problem.message


def test_folder_in_place_of_module_is_reported(tmp_path: Path) -> None:
    (tmp_path / "mine.py").mkdir()
    with pytest.raises(ExperimentError, match=r"mine\.py: is a directory"):
        plan(tmp_path, modules={})


def test_unreadable_module_is_reported(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_bytes(b"\xff")
    with pytest.raises(ExperimentError, match=r"mine\.py: not a text file in UTF-8"):
        plan(tmp_path, modules={})
