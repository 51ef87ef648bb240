"""Crowds that keep a seed's connections: how long does an honest leech that knows only this seed take?

    .venv/bin/python -m benchmarks.crowds                   all crowds, three times
    .venv/bin/python -m benchmarks.crowds silent hosts --repeat 1

Over the loopback interface: the crowd is on 127.0.0.1 (`hosts`: on 127.0.1.x), the leech on 127.0.0.2. The time counts
from the start of the leech's program until it has verified 8 MiB; after 40 s it is given up.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random

from benchmarks.clients import cpu_seconds, log, markdown, spread
from peer.bittorrent.client.torrent_maker import Order, create
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.wire.handshake import Handshake
from peer.bittorrent.wire.messages import Interested
from peer.net.address import Address
from tests.peer.programs import Program, ScriptedPeer, Share, leeching, seeding

MIB = 1 << 20
PLACES = PROFILES["course"].most_neighbours
PATIENCE = 40.0
CROWD, LEECH = "127.0.0.1", "127.0.0.2"


class Crowd:
    """The strangers at a seed."""

    def __init__(self, seed: Program, shared: Share, stack: ExitStack) -> None:
        self._address = Address(CROWD, seed.port)
        self._info_hash = shared.info.info_hash
        self._stack = stack
        self._is_over = threading.Event()

    def hold(self, count: int = PLACES) -> list[ScriptedPeer]:
        """Only hold connections."""
        return [self._stack.enter_context(ScriptedPeer(self._address, CROWD)) for _ in range(count)]

    def shake(self) -> None:
        for stranger in self.hold():
            stranger.shake_hands(self._info_hash)

    def want(self, hosts: Sequence[str] = (CROWD,) * PLACES) -> None:
        """Shake hands, be interested, and never request a block."""
        for host in hosts:
            stranger = self._stack.enter_context(ScriptedPeer(self._address, host))
            stranger.shake_hands(self._info_hash).send(Interested())

    def want_from_many_hosts_for_three_seconds(self) -> None:
        hosts = [f"127.0.1.{number}" for number in range(1, PLACES + 1)]
        self.want(hosts)
        inner = self._stack.pop_all()
        leaving = threading.Timer(3, inner.close)
        leaving.start()
        self._stack.callback(leaving.join)

    def drip(self) -> None:
        """Send handshakes byte by byte, the last of them too late."""
        strangers = self.hold(200)
        whole = Handshake(self._info_hash, bytes(20)).encode()

        def send() -> None:
            for number in range(len(whole)):
                for stranger in strangers:
                    with suppress(OSError):
                        stranger.socket.send(whole[number : number + 1])
                if self._is_over.wait(0.3):
                    return

        self._beside(send)

    def flood(self) -> None:
        """Connect as often as possible, and hold the latest 200 connections."""
        held: list[ScriptedPeer] = []

        def send() -> None:
            while not self._is_over.is_set():
                with suppress(OSError):
                    held.append(ScriptedPeer(self._address, CROWD))
                if len(held) > 200:
                    held.pop(0).socket.close()
            for stranger in held:
                stranger.socket.close()

        self._beside(send)

    def _beside(self, send: Callable[[], None]) -> None:
        thread = threading.Thread(target=send)
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(self._is_over.set)


CROWDS: dict[str, tuple[str, Callable[[Crowd], object]]] = {
    "none": ("nobody", lambda _: None),
    "silent": (f"{PLACES} silent connections", Crowd.hold),
    "thousands": ("5,000 silent connections", lambda crowd: crowd.hold(5_000)),
    "dripping": ("200 handshakes, byte by byte", Crowd.drip),
    "flooding": ("a new connection at any moment", Crowd.flood),
    "shaken": (f"{PLACES} that shake hands and are idle", Crowd.shake),
    "hosts": (f"{PLACES} interested hosts, for 3 s", Crowd.want_from_many_hosts_for_three_seconds),
    "wanting": (f"{PLACES} of one host, interested, that take nothing", Crowd.want),
}


def measure(shared: Share, attack: Callable[[Crowd], object], repeat: int) -> list[str]:
    """Return the cells of a row."""
    times, memory, cpu = [], [], []
    for _ in range(repeat):
        with seeding(shared) as seed, ExitStack() as stack:
            attack(Crowd(seed, shared, stack))
            times.append(time_of_leech(shared, seed))
            memory.append(peak_memory(seed.process.pid) / MIB)
            cpu.append(cpu_seconds(seed.process))
    done = [each for each in times if each is not None]
    return [spread(done, 1) if done else "-", f"{len(done)} of {repeat}", f"{max(memory):.0f}", f"{max(cpu):.1f}"]


def time_of_leech(shared: Share, seed: Program) -> float | None:
    """Return how many seconds a leech needs; None if it has not completed by then."""
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        leeching(shared.torrent, "--to", folder, "--peer", seed.address, "--bind", LEECH) as leech,
        killing(leech, PATIENCE),
    ):
        return time.monotonic() - began if leech.line() == "completed" else None


@contextmanager
def killing(program: Program, seconds: float) -> Iterator[None]:
    """Kill a program that runs for longer."""
    timer = threading.Timer(seconds, program.process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def peak_memory(pid: int) -> int:
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) << 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("crowd", nargs="*", choices=[[], *CROWDS], help=", ".join(CROWDS))
    parser.add_argument("--repeat", type=int, default=3)
    chosen = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        shared = Share(Path(folder, "data.torrent"), Path(folder, "data"))
        shared.data.write_bytes(Random(1).randbytes(8 * MIB))
        create(Order(source=shared.data, piece_length=MIB // 16), shared.torrent)
        for name in chosen.crowd or CROWDS:
            what, attack = CROWDS[name]
            rows.append([what, *measure(shared, attack, chosen.repeat)])
            log(", ".join(rows[-1]))
    heading = ["crowd", "the leech takes, s", "completes", "seed, peak MiB", "seed, CPU s"]
    print(markdown(heading, rows))


if __name__ == "__main__":
    main()
