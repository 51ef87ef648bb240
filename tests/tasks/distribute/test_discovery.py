"""How peers find one another: which hosts there are for it, what the torrent names, and what programs are told."""

from pathlib import Path

import pytest

from peer.bittorrent.wire.metainfo.metainfo import Metainfo, decode_metainfo
from peer.net.address import Address
from peer.overlays.description import read_description
from testbed.experiment import Trial
from testbed.tasks.distribute.trials import hosts_of
from testbed.tasks.launches import Assignment, Phase, TrialContext
from testbed.tasks.programs import programs_of
from tests.experiment.files import SMALL, planned


def trial_of(folder: Path, more: str) -> Trial:
    (trial,) = planned(folder, SMALL + more).trials
    return trial


def context_of(trial: Trial, folder: Path) -> TrialContext:
    addresses = {host.name: f"198.18.0.{k}" for k, host in enumerate(hosts_of(trial).all, start=1)}
    return TrialContext(trial, addresses, {}, folder, folder / "shared", experiment_seed=1)


def prepared(trial: Trial, folder: Path) -> Metainfo:
    """Prepare a trial, and return its torrent."""
    programs_of(trial).prepare(context_of(trial, folder))
    return decode_metainfo((folder / "file.torrent").read_bytes())


def assigned(trial: Trial, folder: Path) -> dict[str, Assignment]:
    return {each.host.name: each for each in programs_of(trial).assignments(context_of(trial, folder))}


@pytest.mark.parametrize(
    ("discovery", "introducers"),
    [("tracker", ["tracker"]), ("dht", ["bootstrap"]), ("both", ["tracker", "bootstrap"])],
)
def test_each_way_has_its_hosts_between_servers_and_peers(
    tmp_path: Path, discovery: str, introducers: list[str]
) -> None:
    hosts = hosts_of(trial_of(tmp_path, f"discovery: {discovery}\n"))
    assert hosts.positions == ("server", *introducers, "p1", "p2", "p3", "p4")
    assert [host.name for host in hosts.all] == list(hosts.positions)
    assert [host.name for host in hosts.introducers] == introducers


@pytest.mark.parametrize("distribution", ["client-server", "fluid"])
def test_other_schemes_have_nothing_to_find(tmp_path: Path, distribution: str) -> None:
    trial = trial_of(tmp_path, f"distribution: {distribution}\ndiscovery: both\n")
    assert hosts_of(trial).introducers == ()


def test_plan_with_a_tracker_is_written_as_before(tmp_path: Path) -> None:
    """The ids of trials are digests of it."""
    written = hosts_of(trial_of(tmp_path, "")).model_dump(mode="json")
    assert "bootstrap" not in written
    everyone = [*written["servers"], written["tracker"], *written["peers"]]
    assert not any("killed_at" in host for host in everyone)


def test_peers_are_the_same_however_they_find_one_another(tmp_path: Path) -> None:
    swept = "sweep: {discovery: [tracker, dht, both]}\npair: discovery\n"
    hosts = [hosts_of(trial) for trial in planned(tmp_path, SMALL + swept).trials]
    assert hosts[0].peers == hosts[1].peers == hosts[2].peers


def test_torrent_names_the_tracker_or_the_first_node_or_both(tmp_path: Path) -> None:
    torrents = {}
    for discovery in ("tracker", "dht", "both"):
        folder = tmp_path / discovery
        folder.mkdir()
        torrents[discovery] = prepared(trial_of(folder, f"discovery: {discovery}\n"), folder)
    url = (("http://198.18.0.2:6969/announce",),)
    assert (torrents["tracker"].tiers, torrents["tracker"].nodes) == (url, ())
    assert (torrents["dht"].tiers, torrents["dht"].nodes) == ((), (Address("198.18.0.2", 6881),))
    assert (torrents["both"].tiers, torrents["both"].nodes) == (url, (Address("198.18.0.3", 6881),))


def test_first_node_starts_first_and_knows_nobody(tmp_path: Path) -> None:
    trial = trial_of(tmp_path, "discovery: dht\n")
    prepared(trial, tmp_path)
    first = assigned(trial, tmp_path)["bootstrap"]
    assert first.phase is Phase.INFRASTRUCTURE
    argv = first.launch.argv
    described = read_description(Path(argv[2]).read_text())
    assert argv[:2] == ("peer", "node")
    assert (described.overlay, described.address) == ("kademlia", Address("198.18.0.2", 6881))
    assert (described.known, described.items, described.searches) == ((), (), ())


@pytest.mark.parametrize("application", ["ours", "aria2"])
def test_servers_and_peers_use_the_dht_where_there_is_one(tmp_path: Path, application: str) -> None:
    text = SMALL.replace("{up: 8 Mbit/s}", f"{{up: 8 Mbit/s, application: {application}}}")
    text = text.replace("count: 4,", f"count: 4, application: {application},")
    for discovery in ("tracker", "dht", "both"):
        (trial,) = planned(tmp_path, f"{text}discovery: {discovery}\n").trials
        found = assigned(trial, tmp_path)
        uses = {name: "--dht" in found[name].launch.argv for name in ("server", "p1", "p4")}
        assert set(uses.values()) == {discovery != "tracker"}


def test_preloaded_modules_are_those_of_a_node_too(tmp_path: Path) -> None:
    trial = trial_of(tmp_path, "discovery: dht\n")
    assert {"peer.cli.node", "peer.overlays.kademlia"} <= set(programs_of(trial).preload(trial))


def test_captures_can_name_the_first_node(tmp_path: Path) -> None:
    trial = trial_of(tmp_path, "discovery: dht\ncapture: [bootstrap]\n")
    assert trial.settings.capture is not None
