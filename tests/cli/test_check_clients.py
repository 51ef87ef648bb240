"""What `testbed check` says of programs that are not ours: missing ones, adapters beside the file, periods."""

from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.tasks.distribute.programs import other_clients
from tests.cli.conftest import Run
from tests.cli.mistakes import group, swarm

INSTALL = "apt-get install no-such-client"
ADAPTER = """
from peer.adapters.api import Adapter, State

class Mine(Adapter):
    program = "no-such-client"
    install = "apt-get install no-such-client"
    def command(self): return []
    def state(self): return State(True)

class Unfinished(Adapter):
    program = "sh"

class Alone(Adapter):
    program = "sh"
    def command(self): return []
    def state(self): return State(True)
    @classmethod
    def version(cls): return "1.0"

class Dht(Alone):
    can_use_dht = True
"""


Said = Callable[[str], list[str]]


@pytest.fixture
def said(call: Run, tmp_path: Path) -> Said:
    def check(text: str) -> list[str]:
        file = tmp_path / "mine.yaml"
        file.write_text(text)
        (tmp_path / "mine.py").write_text(ADAPTER)
        return [line.removeprefix(f"testbed: {file}:") for line in call("check", str(file)).stderr.splitlines()]

    return check


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("transmission", "apt-get install transmission-daemon"),
        ("aria2", "apt-get install aria2"),
        ("rtorrent", "apt-get install rtorrent"),
        ("qbittorrent", "apt-get install qbittorrent-nox"),
    ],
)
def test_missing_client_is_named_with_the_command_that_installs_it(
    said: Said, monkeypatch: pytest.MonkeyPatch, name: str, command: str
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    (line,) = said(group(f"application: {name}"))
    assert line.startswith(f"4:35: peers.homes.application: {name}: ")
    assert line.endswith(f" is not installed: install it with `{command}`")


def test_client_is_found_once_for_all_groups_that_use_it(said: Said) -> None:
    assert (
        said(swarm("  a: {count: 1, up: 8 Mbit/s, application: aria2}", servers="{up: 8 Mbit/s, application: aria2}"))
        == []
    )


def test_adapter_beside_the_file_is_checked(said: Said) -> None:
    assert said(group('application: "mine:Mine"')) == [
        f"4:35: peers.homes.application: mine:Mine: no-such-client is not installed: install it with `{INSTALL}`"
    ]
    assert said(group('application: "mine:Unfinished"')) == [
        "4:35: peers.homes.application: mine:Unfinished: Unfinished has no method command"
    ]
    (line,) = said(group('application: "mine:Nobody"'))
    assert line.startswith("4:35: peers.homes.application: ")
    assert "has no class or function 'Nobody'" in line


def test_encryption_that_a_client_cannot_be_told_is_refused(said: Said) -> None:
    assert said(group("application: transmission, encryption: off")) == [
        (
            "4:62: peers.homes.encryption: transmission cannot be told to treat encryption as 'off': leave this key"
            " out, or write accept or prefer or require"
        )
    ]
    assert said(group("application: transmission, encryption: require")) == []
    (line,) = said(swarm("  a: {count: 1, up: 8 Mbit/s, application: aria2}", more="encryption: off"))
    assert "aria2 cannot be told to treat encryption as 'off'" in line


def test_captures_of_encrypted_connections_are_not_audited(said: Said) -> None:
    text = swarm(more="capture: all\naudit: true\nencryption: prefer")
    assert said(text) == [
        (
            "6:1: audit: captures cannot tell what encrypted connections carried: leave this key out, or write"
            " `encryption: accept`"
        )
    ]
    assert said(text.replace("prefer", "accept")) == []


def test_our_client_needs_a_package_to_encrypt(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(other_clients, "find_spec", lambda _: None)
    (line,) = said(group("encryption: require"))
    assert line.startswith("4:35: peers.homes.encryption: our client needs the Python package cryptography to encrypt")
    assert said(group("encryption: accept")) == []


def test_periods_of_other_clients_cannot_be_divided(said: Said) -> None:
    assert said(swarm("  a: {count: 1, up: 8 Mbit/s, application: aria2}", more="time_scale: 10")) == [
        "5:1: time_scale: aria2 keeps its own periods, and only those of our client can be divided: leave this key out"
    ]


@pytest.mark.parametrize("discovery", ["dht", "both"])
def test_client_that_cannot_be_told_to_use_the_dht_is_refused(said: Said, discovery: str) -> None:
    def group_of(name: str) -> str:
        return swarm(f'  a: {{count: 1, up: 8 Mbit/s, application: "mine:{name}"}}', more=f"discovery: {discovery}")

    assert said(group_of("Dht")) == []
    (line,) = said(group_of("Alone"))
    assert line.startswith("4:31: peers.a.application: mine:Alone cannot be told to use the DHT: write `discovery: ")
