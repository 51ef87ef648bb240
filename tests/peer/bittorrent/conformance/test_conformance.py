"""Other people's clients share files with our peer, and report nothing wrong with it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile
from typing import Any

import pytest

from peer import OUR_VERSION
from peer.bittorrent.wire.peer_id import OUR_PREFIX
from testbed.network import sandbox
from tests.peer.bittorrent.conformance.contents import folder, one_file
from tests.peer.bittorrent.conformance.swarms import (
    LIBTORRENTS,
    OURS,
    TRANSMISSIONS,
    Client,
    Member,
    Swarm,
    Tracker,
    run_all,
)

pytestmark = pytest.mark.kernel

O, L, T = Client.OURS, Client.LIBTORRENT, Client.TRANSMISSION  # noqa: E741
OURS_PREFERRING = Client.OURS_PREFERRING_ENCRYPTION
RC4, HIDDEN, WITHOUT = (
    Client.LIBTORRENT_WITH_RC4,
    Client.LIBTORRENT_WITH_HIDDEN_HANDSHAKE,
    Client.LIBTORRENT_WITHOUT_ENCRYPTION,
)
PREFERRING, REQUIRING = Client.TRANSMISSION_PREFERRING_ENCRYPTION, Client.TRANSMISSION_REQUIRING_ENCRYPTION
KIB = 1024


def small(name: str, tracker: Tracker, seeds: list[Client], leeches: list[Client]) -> Swarm:
    return Swarm(name, tracker, seeds, leeches, one_file(f"{name}.bin", 3 * 1024 * KIB + 12_345, 128 * KIB))


def by_magnet(name: str, tracker: Tracker, seeds: list[Client], leeches: list[Client]) -> Swarm:
    return replace(small(name, tracker, seeds, leeches), by_magnet=True)


def by_magnet_in_two_messages(name: str, tracker: Tracker, seeds: list[Client], leeches: list[Client]) -> Swarm:
    """Have so many pieces that the info dictionary takes two messages."""
    content = one_file(f"{name}.bin", 14 * 1024 * KIB, 16 * KIB)
    return Swarm(name, tracker, seeds, leeches, content, by_magnet=True)


def of_files(name: str, tracker: Tracker, seeds: list[Client], leeches: list[Client]) -> Swarm:
    lengths = {"a.bin": 700 * KIB + 1, "deep/er/b.bin": 900 * KIB + 2, "c.bin": 3}
    return Swarm(name, tracker, seeds, leeches, folder(name, lengths, 64 * KIB))


def mixed(name: str, tracker: Tracker, seeds: list[Client], leeches: list[Client]) -> Swarm:
    """Share at a rate so low that Transmission takes part before the others have completed."""
    content = one_file(f"{name}.bin", 12 * 1024 * KIB, 128 * KIB)
    return Swarm(name, tracker, seeds, leeches, content, megabits=8)


SWARMS = [
    small("libtorrent-from-us", Tracker.OURS_HTTP, [O], [L]),
    small("us-from-libtorrent", Tracker.OURS_UDP, [L], [O]),
    small("transmission-from-us", Tracker.OURS_UDP, [O], [T]),
    small("us-from-transmission", Tracker.OURS_HTTP, [T], [O]),
    small("opentracker-libtorrent-from-us", Tracker.OPENTRACKER_UDP, [O], [L]),
    small("opentracker-us-from-libtorrent", Tracker.OPENTRACKER_HTTP, [L], [O]),
    small("opentracker-transmission-from-us", Tracker.OPENTRACKER_HTTP, [O], [T]),
    small("opentracker-us-from-transmission", Tracker.OPENTRACKER_UDP, [T], [O]),
    by_magnet_in_two_messages("magnet-libtorrent-from-us", Tracker.OURS_HTTP, [O], [L]),
    by_magnet("magnet-transmission-from-us", Tracker.OURS_UDP, [O], [T]),
    by_magnet_in_two_messages("magnet-us-from-libtorrent", Tracker.OURS_UDP, [L], [O]),
    by_magnet("magnet-us-from-transmission", Tracker.OURS_HTTP, [T], [O]),
    of_files("files-from-us", Tracker.OURS_HTTP, [O], [L, T]),
    of_files("files-to-us", Tracker.OURS_HTTP, [L], [O]),
    mixed("mixed", Tracker.OURS_HTTP, [O], [O, L, L, T, T]),
    small("plaintext-to-one-that-prefers-encryption", Tracker.OURS_UDP, [PREFERRING], [O]),
    small("encrypted-from-us", Tracker.OURS_HTTP, [O], [PREFERRING, REQUIRING, RC4]),
    small("encrypted-from-us-in-plaintext", Tracker.OURS_HTTP, [O], [HIDDEN]),
    small("encrypted-us-from-libtorrent", Tracker.OURS_HTTP, [RC4], [OURS_PREFERRING]),
    small("encrypted-us-from-libtorrent-in-plaintext", Tracker.OURS_HTTP, [HIDDEN], [OURS_PREFERRING]),
    small("encrypted-us-from-transmission", Tracker.OURS_HTTP, [REQUIRING], [OURS_PREFERRING]),
    small("not-encrypted-us-from-libtorrent", Tracker.OURS_HTTP, [WITHOUT], [OURS_PREFERRING]),
    # Each finds the other in the DHT: there is no tracker.
    small("dht-transmission-from-us", Tracker.NONE, [O], [T]),
    small("dht-us-from-transmission", Tracker.NONE, [T], [O]),
    # Without our peer: these test our tracker, and the tests themselves.
    small("transmission-from-libtorrent", Tracker.OURS_HTTP, [L], [T]),
    small("libtorrent-from-transmission", Tracker.OURS_UDP, [T], [L]),
]
BY_DHT = [swarm for swarm in SWARMS if swarm.tracker is Tracker.NONE]
WITH_US = [swarm for swarm in SWARMS if {*OURS} & {*swarm.seeds, *swarm.leeches}]
# How our peer's streams are encrypted, after an encrypted handshake.
METHODS = {
    "encrypted-from-us": {"rc4"},
    "encrypted-from-us-in-plaintext": {"plaintext"},
    "encrypted-us-from-libtorrent": {"rc4"},
    "encrypted-us-from-libtorrent-in-plaintext": {"plaintext"},
    "encrypted-us-from-transmission": {"rc4"},
}

# The alerts that report a fault of a neighbour, of a tracker, or of libtorrent itself.
BAD_ALERTS = {
    "fastresume_rejected_alert",
    "file_error_alert",
    "hash_failed_alert",
    "invalid_request_alert",
    "listen_failed_alert",
    "metadata_failed_alert",
    "peer_ban_alert",
    "peer_blocked_alert",
    "peer_error_alert",
    "peer_snubbed_alert",
    "request_dropped_alert",
    "torrent_error_alert",
    "tracker_error_alert",
    "tracker_warning_alert",
    "udp_error_alert",
    "unwanted_block_alert",
}
# How its connections may end: neither end needs the other any more, it dialled itself, the other end left, or tries
# encryption first where that is not welcome, or none afterwards where it is required.
GOOD_ENDINGS = (
    "torrent finished",
    "upload to upload connection",
    "uninteresting upload-only peer",
    "connected to ourselves",
    "duplicate peer-id",
    "End of file",
    "Broken pipe",
    "Connection reset by peer",
    "incoming encrypted connections disabled",
    "incoming regular connections disabled",
)
# What Transmission logs about a fault; it also calls the ordinary end of a connection an error.
TROUBLE = re.compile(
    r"strike|banned|banning|corrupt|bad packet|rejecting an invalid|dropping invalid|Invalid (value|metadata)"
    r"|[Tt]racker (gave an )?(error|warning)|Couldn't parse|couldn't (connect|save)"
)
# A failed dial is normal: Transmission passes on the source port of a connection until it knows the listening port.
BAD_EVENTS = {"error", "banned", "piece_failed", "snubbed"}
KNOWN_BY_PEER_ID = OUR_PREFIX.decode()


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Member]]:
    """Run all swarms once; returns what their clients left behind."""
    folder = tmp_path_factory.mktemp("swarms")
    return sandbox.run(lambda: run_all(SWARMS, folder))


def of(members: list[Member], *clients: Client) -> Iterator[Member]:
    return (member for member in members if member.client in clients)


def each(swarms: list[Swarm]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", [swarm.name for swarm in swarms])


@each(SWARMS)
def test_all_have_the_same_bytes_and_leave(members: dict[str, list[Member]], name: str) -> None:
    for member in members[name]:
        assert member.differing == [], f"{member}: {member.printed} {member.stderr}"
        assert "completed" in member.printed or member.role == "seed", member
        assert member.status == 0, f"{member}: {member.stderr}"


@each(SWARMS)
def test_libtorrent_finds_nothing_wrong(members: dict[str, list[Member]], name: str) -> None:
    for member in of(members[name], *LIBTORRENTS):
        alerts = member.records("alerts")
        assert len(alerts) > 100, f"{member} left too short a log"
        assert [alert for alert in alerts if alert["kind"] in BAD_ALERTS] == [], member
        assert [alert for alert in kind(alerts, "peer_disconnected_alert") if not ended_well(alert)] == [], member
        neighbours = kind(alerts, "neighbour")
        assert all(each["hash_failures"] == 0 and "on_parole" not in each["flags"] for each in neighbours), member


def kind(alerts: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [alert for alert in alerts if alert["kind"] == name]


def ended_well(alert: dict[str, Any]) -> bool:
    return any(ending in alert["message"] for ending in GOOD_ENDINGS)


@each(SWARMS)
def test_transmission_finds_nothing_wrong(members: dict[str, list[Member]], name: str) -> None:
    for member in of(members[name], *TRANSMISSIONS):
        # While it shuts down it forgets its requests, and reports their answers as unexpected.
        log = list(takewhile(lambda line: "shutting down" not in line, member.lines("log")))
        states = member.records("states")
        assert len(log) > 100, f"{member} left too short a log"
        assert [line for line in log if TROUBLE.search(line)] == [], member
        assert {(state["error"], state["errorString"], state["corruptEver"]) for state in states} == {(0, "", 0)}


@each(WITH_US)
def test_our_peer_finds_nothing_wrong(members: dict[str, list[Member]], name: str) -> None:
    for member in of(members[name], *OURS):
        assert member.stderr == "", member
        trace = member.records("trace")
        assert {"joined", "handshaken", "left"} <= {event["event"] for event in trace}, member
        assert [event for event in trace if event["event"] in BAD_EVENTS] == [], member


@each(WITH_US)
def test_streams_are_encrypted_as_both_ends_want(members: dict[str, list[Member]], name: str) -> None:
    for member in of(members[name], *OURS):
        trace = member.records("trace")
        assert {event["method"] for event in trace if event["event"] == "encrypted"} == METHODS.get(name, set()), member


@each([swarm for swarm in WITH_US if {*LIBTORRENTS} & {*swarm.seeds, *swarm.leeches}])
def test_libtorrent_knows_us_and_our_extensions(members: dict[str, list[Member]], name: str) -> None:
    ours = [member.host for member in of(members[name], *OURS)]
    for member in of(members[name], *LIBTORRENTS):
        alerts = member.records("alerts")
        for host in ours:
            seen = [each for each in kind(alerts, "neighbour") if each["address"][0] == host]
            assert OUR_VERSION in {each["client"] for each in seen}, f"{member}: {seen}"
            assert any("supports_extensions" in each["flags"] for each in seen), f"{member}: {seen}"
            log = [each["message"] for each in kind(alerts, "peer_log_alert") if f" {host}:" in each["message"]]
            for received in ("FAST extension", "<== EXTENDED_HANDSHAKE"):
                assert any(received in line for line in log), f"{member}: no {received} from {host}"
            # HAVE_ALL or HAVE_NONE; a bitfield from a peer that had begun when the connection came.
            told = [line for line in log if "<== HAVE_" in line or "<== BITFIELD" in line]
            assert told, f"{member}: no pieces from {host}"


@each([swarm for swarm in WITH_US if {*TRANSMISSIONS} & {*swarm.seeds, *swarm.leeches}])
def test_transmission_knows_us(members: dict[str, list[Member]], name: str) -> None:
    ours = {member.host for member in of(members[name], *OURS)}
    for member in of(members[name], *TRANSMISSIONS):
        peers = [peer for state in member.records("states") for peer in state["peers"] if peer["address"] in ours]
        assert KNOWN_BY_PEER_ID in {peer["clientName"] for peer in peers}, f"{member}: {peers}"
        assert not any(peer["isUTP"] for peer in peers)
        if member.client == REQUIRING:
            assert all(peer["isEncrypted"] for peer in peers)
        elif name not in METHODS:
            assert not any(peer["isEncrypted"] for peer in peers)


@each(WITH_US)
def test_both_ends_use_fast_and_extension_protocol(members: dict[str, list[Member]], name: str) -> None:
    """Transmission offers the fast extension only to some clients, and we are among them."""
    for member in of(members[name], *OURS):
        shaken = [event for event in member.records("trace") if event["event"] == "handshaken"]
        assert shaken, member
        assert all(event["is_extended"] for event in shaken), shaken
        assert all(event["is_fast"] for event in shaken), shaken


@each(BY_DHT)
def test_a_node_of_ours_is_told_every_peer_that_joined_by_the_dht(members: dict[str, list[Member]], name: str) -> None:
    for member in members[name]:
        assert member.is_in_the_dht, member
        if member.client in OURS:
            announced = [event["url"] for event in member.records("trace") if event["event"] == "announced"]
            assert set(announced) == {"dht"}


@each([swarm for swarm in WITH_US if swarm.by_magnet])
def test_a_magnet_link_alone_leads_to_the_file(members: dict[str, list[Member]], name: str) -> None:
    leech = members[name][-1]
    if leech.client in OURS:
        events = [event["event"] for event in leech.records("trace")]
        assert events.index("handshaken") < events.index("opened") < events.index("completed")
    elif leech.client in LIBTORRENTS:
        assert kind(leech.records("alerts"), "metadata_received_alert"), leech
    else:
        states = leech.records("states")
        assert states[0]["metadataPercentComplete"] < states[-1]["metadataPercentComplete"] == 1, leech
