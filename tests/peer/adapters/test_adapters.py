"""Adapters without their clients: settings, command lines, and what is refused."""

import configparser
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from contract.programs import CLIENTS, EncryptionChoice
from peer.adapters.adapter import Adapter, Place, State
from peer.adapters.life.files import check_copy
from peer.adapters.life.interface import Carried, carried_in
from peer.adapters.life.server import Site
from peer.adapters.program import AdapterError
from peer.adapters.registry import ADAPTERS, adapter_named
from peer.adapters.shipped.aria2 import Aria2
from peer.adapters.shipped.libtorrent import Libtorrent
from peer.adapters.shipped.libtorrent_program import parse, settings
from peer.adapters.shipped.nginx import Nginx
from peer.adapters.shipped.opentracker import Opentracker
from peer.adapters.shipped.qbittorrent import QBittorrent
from peer.adapters.shipped.rtorrent import RTorrent, scgi_request
from peer.adapters.shipped.transmission import Transmission
from peer.adapters.shipped.webtorrent import WebTorrent
from peer.bittorrent.client.connections.encryption import Encryption
from peer.cli.main import main
from peer.net.address import Address
from peer.process.exit_status import ExitStatus, ProgramError


def place_in(folder: Path, *, is_seed: bool = False) -> Place:
    return Place(
        is_seed=is_seed,
        torrent=folder / "file.torrent",
        name="file.bin",
        length=1000,
        folder=folder,
        downloads=folder / "downloads",
        host="198.18.0.5",
        port=6881,
        upload_limit=1_000_000,
        wake=folder / "wake",
    )


def test_every_client_of_the_contract_has_an_adapter() -> None:
    assert tuple(ADAPTERS) == CLIENTS
    assert all(issubclass(adapter_named(name), Adapter) for name in CLIENTS)


def test_transmission_gets_its_peers_from_the_tracker_only(tmp_path: Path) -> None:
    command = Transmission(place_in(tmp_path)).command()
    written = json.loads((tmp_path / "settings.json").read_text())
    off = ("dht-enabled", "lpd-enabled", "pex-enabled", "utp-enabled", "port-forwarding-enabled", "ratio-limit-enabled")
    assert not any(written[key] for key in off)
    assert (written["bind-address-ipv4"], written["peer-port"], written["encryption"]) == ("198.18.0.5", 6881, 0)
    assert written["rpc-bind-address"] == "127.0.0.1"
    assert written["script-torrent-done-filename"] == str(tmp_path / "wake")
    assert command[:2] == [Transmission.executable(), "--foreground"]


@pytest.mark.parametrize(("is_seed", "checks", "level"), [(True, "true", "info"), (False, "false", "warn")])
def test_aria2_checks_only_the_data_of_a_seed(tmp_path: Path, is_seed: bool, checks: str, level: str) -> None:
    command = list(map(str, Aria2(place_in(tmp_path, is_seed=is_seed)).command()))
    assert f"--check-integrity={checks}" in command
    assert f"--log-level={level}" in command
    assert {"--enable-dht=false", "--enable-peer-exchange=false", "--bt-enable-lpd=false"} <= set(command)
    assert {"--interface=198.18.0.5", "--listen-port=6881", "--seed-ratio=0"} <= set(command)


def test_rtorrent_is_bound_and_asked_on_a_socket_of_its_own(tmp_path: Path) -> None:
    command = RTorrent(place_in(tmp_path)).command()
    written = (tmp_path / "rtorrent.rc").read_text().splitlines()
    assert command[1:] == ["-n", "-o", f"import={tmp_path}/rtorrent.rc"], "no settings of the user"
    assert {"dht.mode.set = disable", "protocol.pex.set = no", "protocol.encryption.set = none"} <= set(written)
    assert {"network.bind_address.set = 198.18.0.5", "network.port_range.set = 6881-6881"} <= set(written)
    assert f"network.scgi.open_local = {tmp_path}/rpc" in written


def test_scgi_request_has_its_length_first() -> None:
    assert scgi_request(b"body") == b"24:CONTENT_LENGTH\x004\x00SCGI\x001\x00,body"


def test_qbittorrent_writes_each_section_once(tmp_path: Path) -> None:
    QBittorrent(place_in(tmp_path)).command()
    text = (tmp_path / "qBittorrent" / "config" / "qBittorrent.conf").read_text()
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    session = dict(parser["BitTorrent"])
    off = ("DHTEnabled", "LSDEnabled", "PeXEnabled", "QueueingSystemEnabled", "Preallocation")
    assert {session[rf"Session\{key}"] for key in off} == {"false"}
    assert (session[r"Session\BTProtocol"], session[r"Session\Encryption"]) == ("TCP", "2")
    assert (session[r"Session\Port"], session[r"Session\InterfaceAddress"]) == ("6881", "198.18.0.5")
    assert parser["AutoRun"]["program"] == str(tmp_path / "wake")


def test_nginx_serves_the_folder_of_the_file(tmp_path: Path) -> None:
    Nginx(tmp_path, Site(Address("198.18.0.5", 8080), tmp_path / "files" / "1.bin")).command()
    text = (tmp_path / "nginx.conf").read_text()
    assert "listen 198.18.0.5:8080;" in text
    assert f"root {tmp_path}/files;" in text


def test_opentracker_serves_one_torrent(tmp_path: Path) -> None:
    command = list(map(str, Opentracker(tmp_path, Site(Address("198.18.0.5", 6969), info_hash="ab" * 20)).command()))
    assert (tmp_path / "listed").read_text() == "ab" * 20 + "\n"
    assert command[-10:] == ["-i", "198.18.0.5", "-p", "6969", "-P", "6969", "-d", str(tmp_path), "-w", "listed"]


@pytest.mark.parametrize("nodes", [(), (Address("198.18.0.1", 6881), Address("198.18.0.2", 6882))])
def test_a_client_uses_the_dht_if_it_is_told_to(tmp_path: Path, nodes: tuple[Address, ...]) -> None:
    place = replace(place_in(tmp_path), dht=nodes)
    aria2 = list(map(str, Aria2(place).command()))
    assert aria2.index("--enable-dht=true") > aria2.index("--enable-dht=false")
    assert ("--dht-entry-point=198.18.0.1:6881" in aria2) == bool(nodes)
    program = list(map(str, Libtorrent(place).command()))
    chosen = settings(parse(program[program.index("leech") :]))
    assert chosen["enable_dht"]
    assert chosen["dht_bootstrap_nodes"] == ",".join(map(str, nodes))


def test_webtorrent_is_told_nodes_of_the_dht_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WebTorrent, "package", staticmethod(lambda: Path("/package")))
    monkeypatch.setattr(WebTorrent, "executable", staticmethod(lambda: "node"))
    nodes = (Address("198.18.0.1", 6881), Address("198.18.0.2", 6882))
    other = tmp_path / "other"
    other.mkdir()
    command = WebTorrent(replace(place_in(tmp_path), dht=nodes)).command()
    assert command[-1] == "198.18.0.1:6881,198.18.0.2:6882"
    assert len(command) == len(WebTorrent(place_in(other)).command()) + 1


def test_a_client_whose_adapter_cannot_use_the_dht_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, torrent = tmp_path / "data.bin", tmp_path / "data.torrent"
    data.write_bytes(b"data")
    assert main(["create", str(data), "--out", str(torrent)]) == ExitStatus.OK
    words = ["client", "rtorrent", "leech", str(torrent), "--original", str(data), "--folder", str(tmp_path / "f")]
    assert main([*words, "--bind", "127.0.0.1", "--dht"]) == ExitStatus.USAGE
    assert "rtorrent cannot be told to use the DHT" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "choice", "told"),
    [
        ("libtorrent", "accept", {"out_enc_policy": 2, "in_enc_policy": 1}),
        ("libtorrent", "require", {"out_enc_policy": 0, "in_enc_policy": 0, "allowed_enc_level": 2}),
        ("transmission", "require", {'"encryption": 2'}),
        ("transmission", "prefer", {'"encryption": 1'}),
        ("rtorrent", "require", {"protocol.encryption.set = allow_incoming, try_outgoing, require, require_RC4"}),
        ("rtorrent", "accept", {"protocol.encryption.set = allow_incoming"}),
        ("qbittorrent", "require", {r"Session\Encryption=1"}),
        ("qbittorrent", "prefer", {r"Session\Encryption=0"}),
        ("aria2", "require", {"--bt-force-encryption=true"}),
    ],
)
def test_a_client_is_told_how_to_treat_encryption(tmp_path: Path, name: str, choice: str, told: Any) -> None:
    """In its settings file, or on its command line."""
    command = adapter_named(name)(replace(place_in(tmp_path), encryption=choice)).command()
    if name == "libtorrent":
        words = list(map(str, command))
        assert told.items() <= settings(parse(words[words.index("leech") :])).items()
    else:
        files = [file.read_text() for file in tmp_path.rglob("*") if file.is_file()]
        assert all(each in "\n".join([*map(str, command), *files]) for each in told)


def test_clients_and_ours_have_the_same_words_for_encryption() -> None:
    assert tuple(map(str, Encryption)) == get_args(EncryptionChoice)
    assert {choice for name in CLIENTS for choice in adapter_named(name).encryptions} == set(Encryption)


def test_encryption_that_a_client_cannot_be_told_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, torrent = tmp_path / "data.bin", tmp_path / "data.torrent"
    data.write_bytes(b"data")
    assert main(["create", str(data), "--out", str(torrent)]) == ExitStatus.OK
    words = ["client", "transmission", "leech", str(torrent), "--original", str(data), "--folder", str(tmp_path / "f")]
    assert main([*words, "--bind", "127.0.0.1", "--encryption", "off"]) == ExitStatus.USAGE
    refusal = "transmission cannot be told --encryption off: leave it out, or take accept or prefer or require"
    assert refusal in capsys.readouterr().err


def test_libtorrent_has_plain_tcp_only() -> None:
    chosen = parse(["leech", "a.torrent", "folder", "--bind", "198.18.0.5", "--port", "6881", "--gate", "pipe"])
    found = settings(chosen)
    assert found["listen_interfaces"] == "198.18.0.5:6881"
    assert not any(found[key] for key in ("enable_dht", "enable_lsd", "enable_incoming_utp", "enable_outgoing_utp"))


def test_missing_program_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(
        AdapterError, match=r"transmission-daemon is not installed: install it with `apt-get install tr"
    ):
        Transmission.executable()


class NoState(Adapter):
    program = "x"

    def command(self) -> list[str | Path]:
        return []


class NoProgram(NoState):
    def state(self) -> State:
        return State(is_complete=True)


NoProgram.program = None  # type: ignore[assignment]


class OddWord(NoProgram):
    program = "x"
    untold = ("choke",)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("torrentia", "there is no application 'torrentia'; expected libtorrent"),
        ("no_such_module:Client", "module no_such_module cannot be imported: ModuleNotFoundError"),
        (f"{__name__}:place_in", "is no subclass of peer.adapters.api.Adapter"),
        (f"{__name__}:NoState", "NoState has no method state"),
        (f"{__name__}:NoProgram", "NoProgram has no `program`"),
        (f"{__name__}:OddWord", "untold has 'choke': expected words of bytes, "),
    ],
)
def test_unusable_adapter_is_refused(name: str, complaint: str) -> None:
    with pytest.raises(AdapterError, match=complaint):
        adapter_named(name)


@pytest.mark.parametrize(
    ("copy", "complaint"),
    [
        (b"abcd", ""),
        (b"abxd", "from byte 2 on"),
        (b"abc", "from byte 3 on"),
        (b"abcde", "from byte 4 on"),
        (None, "No such file"),
    ],
)
def test_completed_file_is_compared_with_the_original(tmp_path: Path, copy: bytes | None, complaint: str) -> None:
    original, mine = tmp_path / "original", tmp_path / "mine"
    original.write_bytes(b"abcd")
    if copy is not None:
        mine.write_bytes(copy)
    if not complaint:
        check_copy(mine, original, "it")
        return
    with pytest.raises(ProgramError, match=f"it says that it is complete, but .*{complaint}") as found:
        check_copy(mine, original, "it")
    assert found.value.status is ExitStatus.WRONG_DATA


def test_interface_counts_streams_without_headers_and_loopback() -> None:
    counters = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls ...
    lo:  9999      10    0    0    0     0          0         0     9999      10    0    0    0     0       0          0
  eth0:  1514       1    0    0    0     0          0         0      132       2    0    0    0     0       0          0
"""
    assert carried_in(counters) == Carried(received=1448, sent=0)
