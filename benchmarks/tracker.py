"""Announcements per second that our tracker answers, compared with opentracker.

    sudo .venv/bin/python -m benchmarks.tracker --repeat 5

One torrent with 2,000 peers, 50 of them in each answer, over the loopback interface of one emulated host. The tracker
has one core; this program, which sends the announcements, has another.

busy                    the tracker's CPU time over the elapsed time; from 0.9 on the tracker is the limit, below
                        that it could answer more than this program sends
announces / CPU second  what the tracker could answer if it were always busy
"""

import argparse
import os
import select
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from random import Random

from benchmarks.clients import cpu_seconds, log, markdown, spread
from peer.bittorrent.wire.tracker.http import announce_url
from peer.bittorrent.wire.tracker.messages import AnnounceRequest
from peer.bittorrent.wire.tracker.udp import (
    ConnectRequest,
    ConnectResponse,
    UdpAnnounceRequest,
    decode_response,
)
from testbed.network import (
    EmulatedHost,
    Network,
    Process,
    sandbox,
)
from topologies.star import Star

FOLDER = Path("/run/benchmark")
INFO_HASH = bytes(range(20))
HOST, PORT = "127.0.0.1", 6969
MEMBERS = 2000
IN_FLIGHT = 8
DATAGRAMS_IN_FLIGHT = 64
RECEIVE = 4096
PATIENCE = 5.0
ANNOUNCED = b"\0\0\0\1"

Load = Callable[[Sequence[bytes], float], int]


@dataclass(frozen=True)
class Result:
    """One measurement of one tracker."""

    announces: int
    seconds: float
    tracker_cpu: float

    @property
    def rate(self) -> float:
        return self.announces / self.seconds

    @property
    def busy(self) -> float:
        return self.tracker_cpu / self.seconds

    @property
    def capacity(self) -> float:
        return self.announces / self.tracker_cpu


def members() -> list[AnnounceRequest]:
    rng = Random(0)
    return [
        AnnounceRequest(INFO_HASH, b"-XX0000-" + rng.randbytes(12), 10_000 + k, 0, 0, left=k % 2, numwant=50)
        for k in range(MEMBERS)
    ]


# HTTP


def http_requests(*, keep: bool) -> list[bytes]:
    connection = "keep-alive" if keep else "close"
    heads = (announce_url(f"http://{HOST}:{PORT}/announce", member).partition(str(PORT))[2] for member in members())
    return [f"GET {head} HTTP/1.1\r\nHost: {HOST}\r\nConnection: {connection}\r\n\r\n".encode() for head in heads]


def load_over_kept_connections(requests: Sequence[bytes], seconds: float) -> int:
    """Send over a few connections, each with one outstanding request."""
    supply = cycle(requests)
    connections = [connect() for _ in range(IN_FLIGHT)]
    poller = select.epoll()
    by_number = {connection.fileno(): connection for connection in connections}
    for number, connection in by_number.items():
        poller.register(number, select.EPOLLIN)
        connection.sendall(next(supply))
    done, deadline = 0, time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        for number, _ in wait(poller):
            check_answer(by_number[number].recv(RECEIVE))
            by_number[number].sendall(next(supply))
            done += 1
    close(connections, poller)
    return done


def load_over_new_connections(requests: Sequence[bytes], seconds: float) -> int:
    """Open a connection for each request, a few at a time; the tracker closes it."""
    supply = cycle(requests)
    poller = select.epoll()
    open_ones: dict[int, socket.socket] = {}

    def ask() -> None:
        connection = connect()
        connection.sendall(next(supply))
        open_ones[connection.fileno()] = connection
        poller.register(connection, select.EPOLLIN)

    for _ in range(IN_FLIGHT):
        ask()
    done, deadline = 0, time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        for number, _ in wait(poller):
            if answer := open_ones[number].recv(RECEIVE):
                check_answer(answer)
                continue
            open_ones.pop(number).close()
            done += 1
            ask()
    close(open_ones.values(), poller)
    return done


def connect() -> socket.socket:
    return socket.create_connection((HOST, PORT), timeout=PATIENCE)


def wait(poller: select.epoll) -> list[tuple[int, int]]:
    if ready := poller.poll(PATIENCE):
        return ready
    raise SystemExit(f"no answer from the tracker for {PATIENCE:.0f} s")


def check_answer(answer: bytes) -> None:
    if b"5:peers" not in answer:
        raise SystemExit(f"the tracker answered {answer[:300]!r}")


def close(connections: Iterable[socket.socket], poller: select.epoll) -> None:
    poller.close()
    for connection in connections:
        connection.close()


# UDP


def load_over_udp(_: Sequence[bytes], seconds: float) -> int:
    """Send from one socket with many outstanding datagrams; each answer triggers the next request."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(PATIENCE)
        client.connect((HOST, PORT))
        connection = connection_id(client)
        supply = cycle([UdpAnnounceRequest(connection, 1, member).encode() for member in members()])
        for request in islice(supply, DATAGRAMS_IN_FLIGHT):
            client.send(request)
        done, deadline = 0, time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            if not client.recv(RECEIVE).startswith(ANNOUNCED):
                raise SystemExit("the tracker refused an announcement")
            client.send(next(supply))
            done += 1
        return done


def connection_id(client: socket.socket) -> int:
    client.send(ConnectRequest(7).encode())
    answer = decode_response(client.recv(RECEIVE))
    if not isinstance(answer, ConnectResponse):
        raise SystemExit(f"the tracker answered {answer}")
    return answer.connection


# Both trackers


def start_ours(host: EmulatedHost) -> Process:
    tracker = host.start([sys.executable, "-m", "peer", "tracker", "--bind", HOST, "--port", str(PORT)])
    tracker.wait_ready("^ready")
    return tracker


def start_opentracker(host: EmulatedHost) -> Process:
    (FOLDER / "listed").write_text(f"{INFO_HASH.hex()}\n")
    place = ["-i", HOST, "-p", str(PORT), "-P", str(PORT)]
    tracker = host.start(["opentracker", *place, "-d", FOLDER, "-w", "listed"])
    wait_until_open()
    return tracker


def wait_until_open() -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            connect().close()
        except ConnectionRefusedError:
            time.sleep(0.01)
        else:
            return
    raise SystemExit("opentracker does not listen")


TRACKERS = {"ours": start_ours, "opentracker": start_opentracker}
LOADS: dict[str, tuple[Load, Sequence[bytes]]] = {
    "HTTP, kept": (load_over_kept_connections, http_requests(keep=True)),
    "HTTP, new": (load_over_new_connections, http_requests(keep=False)),
    "UDP": (load_over_udp, ()),
}
# opentracker closes every connection after its answer.
NOT_OFFERED = {("opentracker", "HTTP, kept")}


def measure(host: EmulatedHost, name: str, kind: str, seconds: float) -> Result:
    with host.inside():
        tracker = TRACKERS[name](host)
        os.sched_setaffinity(tracker.pid, {0})
        # The first load registers the peers.
        LOADS["UDP"][0]((), 1.0)
        load, requests = LOADS[kind]
        before, begin = cpu_seconds(tracker), time.perf_counter()
        announces = load(requests, seconds)
        result = Result(announces, time.perf_counter() - begin, cpu_seconds(tracker) - before)
        tracker.stop()
    return result


def measure_all(arguments: argparse.Namespace) -> dict[tuple[str, str], list[Result]]:
    FOLDER.mkdir()
    kinds = [(name, kind) for kind in LOADS for name in TRACKERS if (name, kind) not in NOT_OFFERED]
    results: dict[tuple[str, str], list[Result]] = {each: [] for each in kinds}
    with Network(Star(n=1)) as network:
        os.sched_setaffinity(0, {1})
        for _ in range(arguments.repeat):
            for name, kind in kinds:
                result = measure(network.hosts[0], name, kind, arguments.seconds)
                results[name, kind].append(result)
                log(f"{name}, {kind}: {result.rate:,.0f}/s, busy {result.busy:.2f}")
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5, help="measurements of each tracker, alternating")
    parser.add_argument("--seconds", type=float, default=3, help="length of each measurement")
    arguments = parser.parse_args()
    results = sandbox.run(lambda: measure_all(arguments))
    rows = [
        [
            *each,
            spread([result.rate for result in found], 0),
            f"{statistics.median(result.busy for result in found):.2f}",
            f"{statistics.median(result.capacity for result in found):.0f}",
        ]
        for each, found in results.items()
    ]
    print(markdown(["tracker", "protocol", "announces/s", "busy", "announces / CPU second"], rows))


if __name__ == "__main__":
    main()
