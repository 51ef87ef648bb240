"""Which neighbours get a have at once, which a little later, and what that saves."""

from dataclasses import replace
from random import Random

from contract.events import Level
from peer.bittorrent.engine.actions import Send
from peer.bittorrent.engine.connections.neighbour import Neighbour, make_neighbour
from peer.bittorrent.engine.context import Context, Outbox
from peer.bittorrent.engine.exchange.have_announcer import HaveAnnouncer
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.strategies.registry import make_strategy
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.messages import Have, Message, Unchoke
from peer.net.address import Address
from peer.simulation.swarm import VirtualSwarm, a_torrent

PATIENCE = 2.0


class Crowd:
    """Neighbours, and the haves that they are sent."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self.outbox = Outbox(lambda *_: None, Level.SUMMARY, now=0.0)
        self.neighbours: dict[int, Neighbour] = {}
        profile, rng = replace(PROFILES["course"], have_patience=patience), Random(1)
        strategy = make_strategy("tit-for-tat", profile, rng, {})
        context = Context(bytes(20), (), profile, strategy, rng, self.outbox, neighbours=self.neighbours)
        self.announcer = HaveAnnouncer(context)

    def add(self, *, has: tuple[int, ...] = (), is_interested: bool = False, is_unchoked: bool = False) -> int:
        key = len(self.neighbours) + 1
        neighbour = make_neighbour(key, Address("198.18.0.2", 6881), 0, PROFILES["course"], is_outgoing=True)
        neighbour.bitfield = Bitfield(8)
        for index in has:
            neighbour.bitfield.add(index)
        neighbour.up.is_interested, neighbour.up.is_unchoked = is_interested, is_unchoked
        self.neighbours[key] = neighbour
        return key

    def complete(self, *indices: int) -> list[tuple[int, Message]]:
        """Let pieces be completed; returns what is sent at once."""
        for index in indices:
            self.announcer.announce(index, self.neighbours)
        return self.sent()

    def wait(self, seconds: float) -> list[tuple[int, Message]]:
        self.outbox.now += seconds
        self.announcer.tick()
        return self.sent()

    def sent(self) -> list[tuple[int, Message]]:
        return [(each.neighbour, each.message) for each in self.outbox.take() if isinstance(each, Send)]


def test_have_is_sent_at_once_without_a_queue() -> None:
    crowd = Crowd()
    choked, served = crowd.add(), crowd.add(is_interested=True, is_unchoked=True)
    assert crowd.complete(3) == [(choked, Have(3)), (served, Have(3))]


def test_crowd_haves_go_first_to_unchoked_neighbours() -> None:
    crowd = Crowd()
    waiting, served = crowd.add(is_interested=True), crowd.add(is_interested=True, is_unchoked=True)
    assert crowd.complete(3) == [(served, Have(3))]
    assert crowd.wait(PATIENCE - 0.1) == []
    assert crowd.wait(0.1) == [(waiting, Have(3))]
    assert crowd.wait(PATIENCE) == []


def test_neighbour_with_the_piece_gets_have_later() -> None:
    crowd = Crowd()
    served = crowd.add(has=(3,), is_interested=True, is_unchoked=True)
    assert crowd.complete(3) == []
    assert crowd.wait(PATIENCE) == [(served, Have(3))]


def test_what_waits_goes_ahead_of_the_next_message() -> None:
    """An unchoked neighbour knows at once what it may request."""
    crowd = Crowd()
    key = crowd.add(is_interested=True)
    crowd.complete(3, 5)
    crowd.outbox.send(crowd.neighbours[key], Unchoke())
    assert crowd.sent() == [(key, Have(3)), (key, Have(5)), (key, Unchoke())]
    assert crowd.wait(PATIENCE) == []


def test_delayed_haves_are_sent_together() -> None:
    crowd = Crowd()
    key = crowd.add(is_interested=True)
    crowd.complete(3)
    crowd.outbox.now += PATIENCE / 2
    crowd.complete(5)
    assert crowd.wait(PATIENCE / 2) == [(key, Have(3)), (key, Have(5))]


def test_a_profile_without_patience_tells_everybody_at_once() -> None:
    crowd = Crowd(patience=0)
    crowd.add(has=(3,), is_interested=True), crowd.add(is_interested=True)
    assert crowd.complete(3) == [(1, Have(3)), (2, Have(3))]


def test_all_haves_arrive_in_a_swarm_eventually() -> None:
    """So connections between complete peers are closed: no delayed have is lost."""
    swarm = VirtualSwarm(a_torrent(24))
    source = swarm.add("seed", up=200_000, is_seed=True)
    leeches = [swarm.add(f"l{number}", up=50_000) for number in range(20)]
    swarm.run_until_all_complete()
    swarm.run(swarm.now + 5)
    assert [len(peer.connections) for peer in (source, *leeches)] == [0] * 21
