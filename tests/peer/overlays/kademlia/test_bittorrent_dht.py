"""Nodes of the npm package bittorrent-dht join by ours: each side finds the peers that the other one announced."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from contract.overlay_events import NodeErred
from peer.adapters.program import AdapterError
from peer.adapters.shipped.webtorrent import WebTorrent
from peer.net.address import Address
from peer.overlays.content import key_of
from tests.peer.overlays.kademlia.nodes import DEADLINE, Hands, find_peers, running_nodes, until

pytestmark = pytest.mark.kernel

OURS, WITH_PORT, WITHOUT_PORT = (key_of(name) for name in ("ours", "theirs, with a port", "theirs, without one"))
HOSTS = [Address(f"127.0.0.{number}", 0) for number in range(41, 49)]
THEIRS = ["127.0.0.51", "127.0.0.52", "127.0.0.53"]
OUR_PEER = Address(HOSTS[3].host, 6001)
SCRIPT = Path(__file__).with_name("bittorrent_dht.cjs")
PINNED = Path(__file__).parents[3] / "npm" / "node_modules" / "bittorrent-dht"

Said = dict[str, Any]


def package() -> Path:
    """Return the package's folder: the one that CI installs, or what WebTorrent brought."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed: install it with `apt-get install nodejs`")
    if PINNED.is_dir():
        return PINNED
    try:
        brought = WebTorrent.package() / "node_modules" / "bittorrent-dht"
    except AdapterError:
        brought = PINNED
    if not brought.is_dir():
        pytest.skip("bittorrent-dht is not installed: install it with `npm ci --ignore-scripts --prefix tests/npm`")
    return brought


@asynccontextmanager
async def theirs(folder: Path, bootstrap: Address) -> AsyncIterator[asyncio.StreamReader]:
    """Run their nodes; yields what they say."""
    pipe, info_hashes = asyncio.subprocess.PIPE, (each.hex() for each in (OURS, WITH_PORT, WITHOUT_PORT))
    command = ["node", SCRIPT, folder, str(bootstrap), *info_hashes, *THEIRS]
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.stdin.close()
        await process.wait()


async def listen(lines: asyncio.StreamReader, kinds: set[str]) -> dict[str, Said]:
    """Read until each kind of line was there."""
    said: dict[str, Said] = {}
    async with asyncio.timeout(DEADLINE):
        while not kinds <= said.keys():
            line = json.loads(await lines.readline())
            said[line["kind"]] = line
    return said


async def find_announced(hands: Hands, info_hash: bytes) -> set[Address]:
    """Ask until we are told peers."""
    found: set[Address] = set()
    async with asyncio.timeout(DEADLINE):
        while not found:
            found = set(await find_peers(hands, info_hash))
    return found


async def meet(folder: Path) -> dict[str, Any]:
    async with running_nodes(HOSTS) as (running, events):
        stored = asyncio.Event()
        running[3].input(lambda node, now: node.announce(OURS, OUR_PEER.port, now, on_end=stored.set))
        await stored.wait()
        async with theirs(folder, running[0].node.table.own.address) as lines:
            said = await listen(lines, {"found", "announced", "known"})
            found = {each: await find_announced(running[5], each) for each in (WITH_PORT, WITHOUT_PORT)}
            neighbours: set[str] = set()
            await until(lambda: neighbours.update(near(running)) or neighbours >= set(THEIRS))
        return {"said": said, "found": found, "erred": [each for each in events if isinstance(each, NodeErred)]}


def near(running: list[Hands]) -> set[str]:
    return {neighbour.host for hands in running for neighbour in hands.node.neighbours}


@pytest.fixture(scope="module")
def met() -> dict[str, Any]:
    return asyncio.run(meet(package()))


def test_they_find_a_peer_that_we_announced(met: dict[str, Any]) -> None:
    assert met["said"]["found"]["peer"] == str(OUR_PEER)


def test_we_find_a_peer_that_they_announced_with_a_port(met: dict[str, Any]) -> None:
    assert met["found"][WITH_PORT] == {Address(THEIRS[0], 6002)}


def test_we_find_a_peer_that_they_announced_with_the_port_of_its_node(met: dict[str, Any]) -> None:
    assert met["found"][WITHOUT_PORT] == {Address(THEIRS[0], met["said"]["announced"]["port"])}


def test_each_of_their_nodes_knows_most_of_ours(met: dict[str, Any]) -> None:
    assert min(met["said"]["known"]["counts"]) > len(HOSTS) / 2


def test_neither_side_complains(met: dict[str, Any]) -> None:
    assert not met["erred"]
    assert "warning" not in met["said"]
