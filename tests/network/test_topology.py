"""A topology is found by name, file or module; its parameters are read with their units."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mininet.topo import LinearTopo, Topo

from testbed.topology.finder import load_topology, make_topology
from testbed.topology.parameters import ParameterError, TopologyError, describe_parameters, resolve_parameters
from topologies.star import Star
from topologies.tree import Tree
from topologies.two_isps import TwoIsps

ROOT = Path(__file__).parents[2]
PAIR = """
from mininet.topo import Topo

class Pair(Topo):
    def build(self, bw=10, peer="h2"):
        self.addLink(self.addHost("h1"), self.addHost(peer), bw=bw)
"""
WriteFile = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    """Return a function that writes a topology file."""

    def write_file(text: str) -> Path:
        file = tmp_path / "mine.py"
        file.write_text(text)
        return file

    return write_file


def refusal(reference: str, **parameters: object) -> str:
    with pytest.raises(TopologyError) as error:
        make_topology(reference, parameters)
    return str(error.value)


@pytest.mark.parametrize(("name", "topology"), [("star", Star), ("two-isps", TwoIsps), ("tree", Tree)])
def test_own_topologies_are_found_by_name(name: str, topology: type[Topo]) -> None:
    assert load_topology(name) is topology


def test_class_is_found_in_a_module() -> None:
    assert load_topology("mininet.topo:LinearTopo") is LinearTopo


@pytest.mark.parametrize("name", ["", ":star", ":Star"])
def test_file_is_read_as_mn_does(name: str) -> None:
    topology = make_topology(f"{ROOT}/topologies/star.py{name}", {"n": "3"})
    assert topology.hosts() == ["h1", "h2", "h3"]


def test_file_path_is_relative_to_current_folder(write: WriteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write(PAIR).parent)
    assert make_topology("mine.py", {}).hosts() == ["h1", "h2"]


def test_file_leaves_no_bytecode_behind(write: WriteFile) -> None:
    file = write(PAIR)
    load_topology(str(file))
    assert list(file.parent.iterdir()) == [file]


def test_file_without_topos_offers_its_class(write: WriteFile) -> None:
    assert make_topology(str(write(PAIR)), {}).hosts() == ["h1", "h2"]


def test_function_in_topos_makes_topology(write: WriteFile) -> None:
    file = write(PAIR + "topos = {'pair': lambda peer='b': Pair(peer=peer)}")
    assert make_topology(str(file), {}).hosts() == ["b", "h1"]
    assert make_topology(str(file), {"peer": "a"}).hosts() == ["a", "h1"]


def test_file_may_use_dataclasses_and_postponed_annotations(write: WriteFile) -> None:
    text = """
from __future__ import annotations
from dataclasses import dataclass
from typing import Annotated
from mininet.topo import Topo

@dataclass
class Link:
    rate: int

class One(Topo):
    def build(self, rate: Annotated[int, "bit/s"] = 1) -> None:
        self.rate = Link(rate).rate
"""
    assert vars(make_topology(str(write(text)), {"rate": "8 kbit/s"}))["rate"] == 8000


def test_choice_of_several_topologies_must_be_named(write: WriteFile) -> None:
    file = write(PAIR + "topos = {'one': Pair, 'two': lambda: Pair()}")
    assert refusal(str(file)) == f"{file} has 2 topologies: write {file}:one or {file}:two"
    assert make_topology(f"{file}:two", {}).hosts() == ["h1", "h2"]
    assert refusal(f"{file}:twoo") == f"{file} has no topology 'twoo' (did you mean two?): write one or two"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "mine.py has neither a `topos` dictionary nor a Topo class"),
        ("topos = {'x': int}", "mine.py:x is not a Mininet Topo"),
        ("topos = {'x': 3}", "mine.py:x is not a Mininet Topo"),
        ("topos = {'x': lambda: 3}", "mine.py made 3, not a Mininet Topo"),
        ("\n\ndef (", "mine.py:3: invalid syntax"),
        ("\x00", "mine.py: not Python: "),
        ("\nopen('/nowhere')", "mine.py:2: FileNotFoundError: "),
        ("import nosuchmodule", "mine.py:1: ModuleNotFoundError: No module named 'nosuchmodule'"),
        ("\nraise SystemExit('bye')", "mine.py:2: SystemExit: bye"),
        (PAIR + "Pair.build = lambda self: 1 / 0", "mine.py failed: ZeroDivisionError"),
    ],
)
def test_file_without_topology_is_refused(write: WriteFile, text: str, message: str) -> None:
    assert message in refusal(str(write(text)))


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("strr", "unknown topology 'strr' (did you mean star?): write star, two-isps, tree, a file"),
        ("", "unknown topology ''"),
        (":", "unknown topology ':'"),
        ("star:", "unknown topology 'star:'"),
        ("nowhere/mine.py", "nowhere/mine.py: No such file or directory"),
        ("nosuchmodule:Star", "there is no module 'nosuchmodule'; for a file, write its path"),
        ("mininet.topo:LinearTop", "has no topology 'LinearTop' (did you mean LinearTopo?)"),
        ("mininet.topo:irange", "mininet.topo:irange is not a Mininet Topo"),
        ("json:loads", "json:loads is not a Mininet Topo"),
        ("json:load_s", "json has no topology 'load_s'"),
    ],
)
def test_unknown_reference_is_refused(reference: str, message: str) -> None:
    assert message in refusal(reference)


def test_folder_is_not_a_topology(tmp_path: Path) -> None:
    (tmp_path / "mine.py").mkdir()
    assert refusal(f"{tmp_path}/mine.py") == f"{tmp_path}/mine.py: Is a directory"


def test_failing_module_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "failing_topologies.py").write_text("raise RuntimeError('no')")
    monkeypatch.syspath_prepend(tmp_path)
    assert refusal("failing_topologies:Star") == "module failing_topologies cannot be imported: RuntimeError: no"
    assert "failing_topologies" not in sys.modules


@pytest.mark.parametrize(
    ("name", "written", "resolved"),
    [
        ("n", "10", 10),
        ("n", 10, 10),
        ("up", "8 Mbit/s", 8_000_000),
        ("up", "8 Mbit/s, 1 MB/s", [8_000_000, 8_000_000]),
        ("up", ["8 Mbit/s", "56 kbit/s"], [8_000_000, 56_000]),
        ("up", "none", None),
        ("up", None, None),
        ("delay", "0.02 s", 20),
        ("delay", "2.5 ms", 2.5),
        ("loss", "1 %", 1),
        ("acks", "shared", "shared"),
        ("acks", "shared,priority", ["shared", "priority"]),
        ("names", "a,b", ["a", "b"]),
        ("names", "a", ["a"]),
    ],
)
def test_annotation_converts_parameter(name: str, written: object, resolved: object) -> None:
    assert resolve_parameters(Star, {name: written}) == {name: resolved}


@pytest.mark.parametrize(
    ("name", "written", "message"),
    [
        ("n", "ten", "n: 'ten' is not a whole number"),
        ("n", 2.5, "n: 2.5 is not a whole number"),
        ("n", True, "n: True is not a whole number"),
        ("up", "8", "up: '8' has no unit: write 8 bit/s, 8 kbit/s, 8 Mbit/s or 8 Gbit/s"),
        ("up", 8_000_000, "up: '8000000' has no unit"),
        ("up", "8 Mb/s", "up: '8 Mb/s' has an ambiguous unit: write Mbit/s or MB/s"),
        ("up", "8 Mbit/s,2", "up: '2' has no unit"),
        ("up", "8 Mbit/s,", "up: '' is not a rate"),
        ("delay", "8 Mbit/s", "delay: '8 Mbit/s' is a rate, not a duration"),
        ("acks", "prio", "acks: 'prio' is not priority or shared (did you mean priority?)"),
        ("names", [1, 2], "names: 1 is not text: write it in quotes"),
        ("upp", "8 Mbit/s", "upp: unknown parameter (did you mean up?)"),
    ],
)
def test_invalid_parameter_is_refused(name: str, written: object, message: str) -> None:
    with pytest.raises(ParameterError, match=re.escape(message)) as error:
        resolve_parameters(Star, {name: written})
    assert list(error.value.problems) == [name]


def test_all_bad_parameters_are_reported_together() -> None:
    with pytest.raises(ParameterError) as error:
        resolve_parameters(Tree, {"depht": "2", "fanout": "x", "up": "8", "down": "1 Mbit/s"})
    assert set(error.value.problems) == {"depht", "fanout", "up"}
    assert "\n  depth: whole number (default: 2)\n" in str(error.value)
    assert "\n  up: rate such as 8 Mbit/s, or a list of them (default: none)\n" in str(error.value)


def test_error_of_topology_has_its_name() -> None:
    assert refusal("star", n="3", up="1 Mbit/s,2 Mbit/s") == (
        "star: up: expected one value for all 3 hosts, or 3 values, found 2 values"
    )


class Foreign(Topo):
    """A topology written for mn, without annotations."""

    def build(self, size, bw=10, label="x", **_opts):  # type: ignore[no-untyped-def]
        self.seen = (size, bw, label)


class Open(Topo):
    """A topology that accepts parameters it does not name."""

    def __init__(self, flag: bool = False, **params: object) -> None:
        self.flag = flag
        super().__init__(**params)

    def build(self, rate: float = 1.0, ports: tuple[int, ...] = (), **params: object) -> None:
        self.seen = (rate, ports, params)


def test_unannotated_parameters_are_passed_like_mn() -> None:
    resolved = resolve_parameters(Foreign, {"size": "3", "bw": "2.5", "label": "8 Mbit/s"})
    assert resolved == {"size": 3, "bw": 2.5, "label": "8 Mbit/s"}


def test_misspelt_parameter_is_refused_despite_opts() -> None:
    with pytest.raises(ParameterError, match=re.escape("labl: unknown parameter (did you mean label?)")):
        resolve_parameters(Foreign, {"size": "3", "labl": "x"})


def test_parameter_without_default_is_required() -> None:
    with pytest.raises(ParameterError, match="size: is required: number or text"):
        resolve_parameters(Foreign, {})


def test_init_and_build_share_open_parameters() -> None:
    resolved = resolve_parameters(Open, {"flag": "true", "rate": "2", "ports": "1,2", "more": "7"})
    assert resolved == {"flag": True, "rate": 2.0, "ports": [1, 2], "more": 7}
    assert vars(Open(**resolved))["seen"] == (2.0, [1, 2], {"more": 7})


@pytest.mark.parametrize(("name", "written"), [("flag", "maybe"), ("rate", "nan"), ("rate", "x"), ("ports", "1,x")])
def test_parameter_types_are_checked(name: str, written: str) -> None:
    with pytest.raises(ParameterError, match=name):
        resolve_parameters(Open, {name: written})


def test_parameters_are_described_with_units_and_defaults() -> None:
    lines = [str(parameter) for parameter in describe_parameters(Star)]
    assert lines[0] == "n: whole number (default: 2)"
    assert "names: list of text (default: none)" in lines
    assert "loss: percentage such as 1 %, or a list of them (default: none)" in lines
    assert "acks: priority or shared, or a list of them (default: none)" in lines
    assert str(describe_parameters(Foreign)[0]) == "size: number or text (required)"
    assert describe_parameters(Topo) == ()
