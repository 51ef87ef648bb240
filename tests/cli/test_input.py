"""Help, and error messages about bad input."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

COMMANDS = [
    *("run", "check", "plan", "try", "schema", "report", "audit", "compare", "grade", "runs", "open", "serve", "clean"),
    *("links", "shell", "topologies", "experiments", "doctor", "pcap"),
]


def test_help_lists_commands_also_without_arguments(testbed: Run) -> None:
    with_option, without = testbed("--help"), testbed()
    assert with_option.returncode == 0
    assert "Measure peer-to-peer file distribution on an emulated network" in with_option.stdout
    assert [line.split()[0] for line in with_option.stdout.partition("Commands:\n")[2].splitlines()] == COMMANDS
    assert without.stdout + without.stderr == with_option.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(call: Run, name: str) -> None:
    shown = call(name, "--help")
    assert shown.returncode == 0
    assert f"Usage: testbed {name}" in shown.stdout
    assert "\n\n  " in shown.stdout


def test_topologies_are_listed_and_described(call: Run) -> None:
    listed = call("topologies")
    assert [line.split()[0] for line in listed.stdout.splitlines()[:3]] == ["star", "two-isps", "tree"]
    described = call("topologies", "two-isps")
    assert (listed.returncode, described.returncode) == (0, 0)
    assert "  bottleneck: rate such as 8 Mbit/s (default: none)" in described.stdout.splitlines()


BROKEN = {
    "empty.yaml": "",
    "list.yaml": "- star\n",
    "broken.yaml": "topology: {class: star\n",
    "tabs.yaml": "topology:\n\tclass: star\n",
    "binary.yaml": "\x00\x01",
    "key.yaml": "topology: {class: star}\ntopologie: x\n",
    "class.yaml": "topology: {class: galaxy}\n",
    "rate.yaml": "topology:\n  class: star\n  up: 8 Mb/s\n",
    "impossible.yaml": "topology:\n  class: star\n  up: 1 bit/s\n",
    "control.yaml": "topology: {class: star}\ncongestion_control: tortoise\n",
    "syntax.py": "def\n",
    "nothing.py": "x = 1\n",
    "raises.py": "raise RuntimeError('no')\n",
    "tclink.py": (
        "from mininet.link import TCLink\nfrom mininet.topo import Topo\n"
        "class Own(Topo):\n    def build(self):\n"
        "        self.addLink(self.addHost('h1'), self.addSwitch('s1'), cls=TCLink, bw=10)\n"
    ),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in BROKEN.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("run missing.yaml", "missing.yaml: no such file or directory"),
        ("run .", ".: is a directory"),
        ("links missing.py", "missing.py: No such file or directory"),
        (
            "links empty.yaml",
            "empty.yaml: the file is empty: an experiment has `file:`, `servers:` and `peers:`, or",
        ),
        ("links list.yaml", "list.yaml:1:1: expected a mapping of keys at the top level"),
        ("run broken.yaml", "broken.yaml:2:1: not YAML"),
        ("run tabs.yaml", "tabs.yaml:2:1: not YAML"),
        ("run binary.yaml", "binary.yaml: not a text file"),
        ("run key.yaml", "key.yaml:2:1: topologie: unknown key (did you mean topology?)"),
        ("run class.yaml", "unknown topology 'galaxy'"),
        ("run rate.yaml", "rate.yaml:3:3: topology.up: '8 Mb/s' has an ambiguous unit: write Mbit/s or MB/s"),
        ("run control.yaml", "expected 'cubic', 'reno' or 'bbr', found 'tortoise'"),
        ("shell rate.yaml n=2", "rate.yaml has its own parameters: edit the file instead of adding 'n=2'"),
        ("links galaxy", "unknown topology 'galaxy': write star, two-isps, tree, a file"),
        ("links no.module:Name", "there is no module 'no'"),
        ("links syntax.py", "syntax.py:1: "),
        ("links nothing.py", "nothing.py has neither a `topos` dictionary nor a Topo class"),
        ("links raises.py", "raises.py:1: RuntimeError: no"),
        ("topologies galaxy", "unknown topology 'galaxy'"),
        ("links star n", "expected key=value, such as n=10 or up='8 Mbit/s', found 'n'"),
        ("links star =5", "expected key=value, such as n=10 or up='8 Mbit/s', found '=5'"),
        ("links star n=many", "n: 'many' is not a whole number"),
        ("links star n=0", "n: expected a plain whole number of hosts above 0"),
        ("links star upp=1Mbit/s", "upp: unknown parameter (did you mean up?)"),
        ("links star up=8", "up: '8' has no unit: write 8 bit/s, 8 kbit/s, 8 Mbit/s or 8 Gbit/s"),
        ("links star up=20ms", "up: '20ms' is a duration, not a rate: write bit/s, kbit/s, Mbit/s or Gbit/s"),
        ("links star up=nan", "up: 'nan' is not a rate"),
        ("links star up=-8Mbit/s", "up: '-8Mbit/s' is not a rate"),
        ("links star n=3 up=1Mbit/s,2Mbit/s", "up: expected one value for all 3 hosts, or 3 values, found 2 values"),
    ],
)
def test_bad_input_is_reported_without_traceback(call: Run, arguments: str, message: str) -> None:
    refused(call(*arguments.split()), message)


@pytest.mark.kernel
@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("links star up=0bit/s", "up: expected a plain whole number of bit/s above 0"),
        ("links star up=1bit/s", "h1-eth0: rate 1 bit/s: write 56 kbit/s to 1 Gbit/s"),
        ("links star down=100Gbit/s", "s1-eth1: rate 100 Gbit/s: write 56 kbit/s to 1 Gbit/s"),
        ("links star up=8000001bit/s", "not a multiple of 8 bit/s: the nearest are 8000000 and 8000008"),
        ("run impossible.yaml", "write 56 kbit/s to 1 Gbit/s"),
        ("shell star up=8Mbit/s queue=0ms", "queue of 0 bytes: it must be more than 0 bytes"),
        ("links star delay=2h", "it must be a whole number of microseconds from 0 to 60000000"),
        ("shell tclink.py", "h1 - s1: the topology names the class TCLink (cls=...), which the testbed cannot build"),
    ],
)
def test_impossible_link_is_refused_with_the_possible_range(call: Run, arguments: str, message: str) -> None:
    refused(call(*arguments.split()), message)


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("arguments", "message"),
    [("links galaxy", "unknown topology 'galaxy'"), ("links star up=1bit/s", "write 56 kbit/s to 1 Gbit/s")],
)
def test_installed_command_refuses_bad_input(testbed: Run, arguments: str, message: str) -> None:
    refused(testbed(*arguments.split()), message)


def refused(result: subprocess.CompletedProcess[str], message: str) -> None:
    assert message in result.stderr
    assert all(line.startswith("testbed: ") for line in result.stderr.splitlines())
    assert result.stdout == ""
    assert result.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("fly", "No such command 'fly'"),
        ("links", "Missing argument"),
        ("links star --streams 0", "--streams"),
        ("links star --seconds 0", "--seconds"),
        ("links star --seconds nan", "--seconds"),
        ("links star --seconds inf", "--seconds"),
        ("links star --tolerance -1", "--tolerance"),
        ("links star --tolerance nan", "--tolerance"),
        ("links star --alone some", "--alone"),
        ("links star --sekonds 1", "--sekonds"),
        ("run", "Missing argument"),
    ],
)
def test_command_line_misuse_points_to_help(call: Run, arguments: str, message: str) -> None:
    result = call(*arguments.split())
    assert result.returncode == 2
    assert message in result.stderr
    assert "--help" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("runs", ["file", "file/runs", "/proc/runs"])
def test_unwritable_folder_is_reported_before_measuring(call: Run, tmp_path: Path, runs: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "star.yaml").write_text("topology: {class: star}\n")
    result = call("run", tmp_path / "star.yaml", "--runs", tmp_path / runs)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("testbed: ")
    assert runs.removesuffix("/runs") in result.stderr
