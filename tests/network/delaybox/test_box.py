"""A star of namespaces whose packets pass through a delay box: real links, real sockets."""

import hashlib
import math
import os
import select
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from testbed.network.delaybox import (
    DelayBox,
    DelayBoxError,
    DelayBoxStats,
    Impairment,
    tun,
)

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.alone,
    pytest.mark.skipif(
        os.geteuid() != 0 or not os.access("/dev/net/tun", os.R_OK | os.W_OK),
        reason="needs root, here or in a user namespace, and /dev/net/tun",
    ),
]

IDEAL = Impairment()
Boxed = Callable[..., tuple[Any, DelayBox]]


def both_ways(impairment: Impairment) -> tuple[Impairment, Impairment]:
    return impairment, impairment


@contextmanager
def udp_pair(star: Any) -> Iterator[tuple[socket.socket, socket.socket]]:
    with closing(star.udp("h1")) as one, closing(star.udp("h2")) as other:
        yield one, other


def round_trips_us(star: Any, count: int) -> list[float]:
    trips = []
    with udp_pair(star) as (near, far):
        for _ in range(count):
            began = time.monotonic()
            near.sendto(b"ping", far.getsockname())
            ping, source = far.recvfrom(100)
            far.sendto(ping, source)
            near.recv(100)
            trips.append((time.monotonic() - began) * 1e6)
    return trips


def one_way_us(star: Any, count: int) -> list[float]:
    trips = []
    with udp_pair(star) as (near, far):
        for _ in range(count):
            began = time.monotonic()
            near.sendto(b"ping", far.getsockname())
            far.recv(100)
            trips.append((time.monotonic() - began) * 1e6)
    return trips


def flood(star: Any, box: DelayBox, count: int) -> tuple[set[int], DelayBoxStats]:
    """Send numbered packets from h1 to h2; return the numbers that arrived."""
    with udp_pair(star) as (near, far):
        arrived: list[int] = []
        overflows = backlog_overflows()
        for first in range(0, count, 50):
            for number in range(first, first + 50):
                near.sendto(number.to_bytes(4, "big"), far.getsockname())
            stats = wait_until_decided(box, first + 50)
            arrived += receive_numbers(far, stats.forwarded - len(arrived), overflows)
    return set(arrived), stats


def receive_numbers(receiver: socket.socket, count: int, overflows: int) -> list[int]:
    try:
        return [int.from_bytes(receiver.recv(100), "big") for _ in range(count)]
    except TimeoutError:
        if backlog_overflows() > overflows:
            pytest.skip("other load on this machine overflowed the kernel's backlog, which all namespaces share")
        raise


def backlog_overflows() -> int:
    return sum(int(line.split()[1], 16) for line in Path("/proc/net/softnet_stat").read_text().splitlines())


def wait_until_decided(box: DelayBox, packets: int) -> DelayBoxStats:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        stats = box.stats()
        if stats.forwarded + stats.lost + stats.no_memory == packets:
            return stats
    raise AssertionError(f"the box has not decided about {packets} packets: {stats}")


def send_all(sender: socket.socket, content: bytes) -> threading.Thread:
    def work() -> None:
        with closing(sender):
            sender.sendall(content)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def digest_received(receiver: socket.socket) -> str:
    digest = hashlib.sha256()
    while part := receiver.recv(1 << 20):
        digest.update(part)
    return digest.hexdigest()


def goodput_mbits(star: Any) -> float:
    """Return the goodput of one TCP connection from h1 to h2, after its first 1.5 MB."""
    sender, receiver = star.tcp("h1", "h2")
    thread = send_all(sender, bytes(4_000_000))
    received = 0
    with closing(receiver):
        while received < 1_500_000:
            received += len(receiver.recv(1 << 16))
        skipped, began = received, time.monotonic()
        while part := receiver.recv(1 << 16):
            received += len(part)
        ended = time.monotonic()
    thread.join()
    return (received - skipped) * 8 / (ended - began) / 1e6


def test_round_trip_is_sum_of_four_delays(boxed: Boxed) -> None:
    star, box = boxed(
        (Impairment(delay_us=3_000), Impairment(delay_us=7_000)),
        (Impairment(delay_us=11_000), Impairment(delay_us=4_000)),
    )
    trips = round_trips_us(star, 20)
    assert 25_000 <= min(trips) <= 26_000, "the fastest one: others also waited for a processor"
    assert box.stats().forwarded == 40
    assert box.stats().unknown == 0


def test_jitter_stays_within_its_range(boxed: Boxed) -> None:
    star, _ = boxed((Impairment(delay_us=4_000, jitter_us=2_000), IDEAL), both_ways(IDEAL))
    trips = one_way_us(star, 150)
    quarter, half, three_quarters = statistics.quantiles(trips, n=4)
    assert min(trips) >= 2_000
    assert 2_500 <= quarter <= 4_000
    assert 3_500 <= half <= 5_000
    assert 4_500 <= three_quarters <= 6_000


def test_jitter_beyond_delay_gives_no_negative_wait(boxed: Boxed) -> None:
    star, box = boxed((Impairment(delay_us=0, jitter_us=4_000), IDEAL), both_ways(IDEAL))
    trips = one_way_us(star, 100)
    at_once = sum(trip < 1_000 for trip in trips)
    assert at_once >= 30
    assert max(trips) > 2_000
    assert box.stats().forwarded == 100


def test_losses_lie_in_binomial_interval(boxed: Boxed) -> None:
    star, box = boxed((Impairment(loss=0.1), IDEAL), (IDEAL, Impairment(loss=0.05)))
    arrived, stats = flood(star, box, 2_000)
    kept = 0.9 * 0.95
    assert abs(len(arrived) - 2_000 * kept) <= 3.29 * math.sqrt(2_000 * kept * (1 - kept))
    assert stats.lost == 2_000 - len(arrived)
    assert stats.dropped == 0


@pytest.mark.parametrize(("loss", "arriving"), [(0.0, 100), (1.0, 0)])
def test_loss_of_zero_and_one_is_exact(boxed: Boxed, loss: float, arriving: int) -> None:
    star, box = boxed((Impairment(loss=loss), IDEAL), both_ways(IDEAL))
    arrived, _ = flood(star, box, 100)
    assert len(arrived) == arriving


def test_seed_decides_which_packets_are_lost(boxed: Boxed) -> None:
    links = (Impairment(loss=0.3), IDEAL), both_ways(IDEAL)
    first, again, other = (flood(*boxed(*links, seed=seed), 200)[0] for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_packets_of_equal_delay_keep_their_order(boxed: Boxed) -> None:
    star, _ = boxed((Impairment(delay_us=5_000), IDEAL), both_ways(IDEAL))
    with udp_pair(star) as (near, far):
        for number in range(100):
            near.sendto(bytes([number]), far.getsockname())
        assert [far.recv(100)[0] for _ in range(100)] == list(range(100))


@pytest.mark.parametrize("impairment", [Impairment(delay_us=2_000), Impairment(delay_us=2_000, loss=0.001)])
def test_tcp_payload_arrives_unchanged(boxed: Boxed, impairment: Impairment) -> None:
    star, box = boxed(both_ways(impairment), both_ways(IDEAL))
    content = hashlib.shake_256(b"content").digest(16 << 20)
    sender, receiver = star.tcp("h1", "h2")
    thread = send_all(sender, content)
    with closing(receiver):
        assert digest_received(receiver) == hashlib.sha256(content).hexdigest()
    thread.join()
    wire_packets = len(content) // 1448
    if impairment.is_random:
        assert box.stats().forwarded > wire_packets
    else:
        assert box.stats().forwarded < wire_packets
    assert box.stats().dropped == 0


def test_box_does_not_change_shaped_rate(star: Callable[[int], Any], boxed: Boxed) -> None:
    plain = star(2)
    plain.shape(20)
    delayed, box = boxed((Impairment(delay_us=20_000), IDEAL), both_ways(IDEAL))
    delayed.shape(20)
    # The better of two: a moment without a processor costs rate, and nothing adds any.
    without, through = (max(goodput_mbits(each) for _ in range(2)) for each in (plain, delayed))
    assert through / without == pytest.approx(1, abs=0.01)
    assert through == pytest.approx(20 * 1448 / 1514, rel=0.02)
    assert box.stats().dropped == 0


def test_unknown_hosts_are_not_delayed(star: Callable[[int], Any], program: Path) -> None:
    made = star(2)
    with made.inside("core"):
        box = DelayBox.start({"198.18.9.9": both_ways(Impairment(delay_us=1_000_000))}, 1, program=program)
    with box:
        made.lead_through(box.interface)
        assert statistics.median(round_trips_us(made, 10)) < 10_000
        assert box.stats().unknown == 20


def test_packets_beyond_memory_limit_are_dropped_and_counted(boxed: Boxed) -> None:
    star, box = boxed(both_ways(Impairment(delay_us=200_000)), both_ways(IDEAL), memory_bytes=10_000)
    with udp_pair(star) as (near, far):
        for _ in range(20):
            near.sendto(bytes(1_000), far.getsockname())
        stats = wait_until_decided(box, 20)
    assert 0 < stats.forwarded < 10
    assert stats.no_memory == 20 - stats.forwarded
    assert stats.memory_peak <= 10_000


def test_non_ipv4_packets_are_ignored_and_counted(star: Callable[[int], Any], program: Path) -> None:
    made = star(1)
    with made.inside("core"), DelayBox.start({}, 1, program=program) as box:
        with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM) as raw:
            for garbage in (b"\x60" + bytes(60), b"\x45"):
                raw.sendto(garbage, (box.interface, 0x0800))
        deadline = time.monotonic() + 5
        while (stats := box.stats()).ignored < 2 and time.monotonic() < deadline:
            pass
        assert stats.ignored == 2
        assert stats.forwarded == 0


def test_statistics_show_lateness_also_after_stop(boxed: Boxed) -> None:
    star, box = boxed(both_ways(Impairment(delay_us=1_000)), both_ways(IDEAL))
    round_trips_us(star, 20)
    stats = box.stop()
    assert stats.lateness.packets == stats.forwarded == 40
    assert 0 < stats.lateness.quantile_us(0.5) < 2_000
    assert stats.lateness.quantile_us(1) >= stats.late_max_ns / 1000
    assert box.stats() == box.stop() == stats


def test_stop_removes_device(boxed: Boxed) -> None:
    star, box = boxed(both_ways(IDEAL))
    with star.inside("core"):
        assert box.interface in [name for _, name in socket.if_nameindex()]
        box.stop()
        assert box.interface not in [name for _, name in socket.if_nameindex()]


def test_dead_helper_is_reported(boxed: Boxed) -> None:
    _, box = boxed(both_ways(IDEAL))
    os.kill(box.pid, signal.SIGKILL)
    with pytest.raises(DelayBoxError, match="has ended"):
        box.stop()


PARENT = """
import sys
from pathlib import Path
from testbed.network.delaybox import DelayBox, Impairment
box = DelayBox.start({"198.18.0.1": (Impairment(1000), Impairment())}, 1, program=Path(sys.argv[1]))
print(box.pid, flush=True)
sys.stdin.read()
"""


def test_helper_ends_when_parent_is_killed(program: Path) -> None:
    command = ["unshare", "--net", sys.executable, "-c", PARENT, program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        helper = os.pidfd_open(int(parent.stdout.readline()))
        assert select.select([helper], [], [], 0)[0] == []
        parent.kill()
        assert select.select([helper], [], [], 5)[0] == [helper]
        os.close(helper)


def test_bad_address_gives_the_helpers_message(star: Callable[[int], Any], program: Path) -> None:
    with star(1).inside("core"), pytest.raises(DelayBoxError, match='line 1: "peer1" is not the IPv4 address'):
        DelayBox.start({"peer1": both_ways(IDEAL)}, 1, program=program)


def test_missing_program_or_device_is_named(
    star: Callable[[int], Any], program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with star(1).inside("core"):
        with pytest.raises(DelayBoxError, match="cannot be started"):
            DelayBox.start({}, 1, program=tmp_path / "absent")
        assert "delay0" not in [name for _, name in socket.if_nameindex()]
        monkeypatch.setattr(tun, "TUN_DEVICE", tmp_path / "absent")
        with pytest.raises(DelayBoxError, match="modprobe tun"):
            DelayBox.start({}, 1, program=program)


def test_reverse_path_filter_is_refused(star: Callable[[int], Any], program: Path) -> None:
    with star(1).inside("core"):
        Path("/proc/sys/net/ipv4/conf/all/rp_filter").write_text("1")
        with pytest.raises(DelayBoxError, match="rp_filter is 1"):
            DelayBox.start({}, 1, program=program)


@pytest.mark.skipif(Path("/proc/self/uid_map").read_text().split()[2] == "1", reason="already in a user namespace")
def test_box_works_in_user_namespace_without_root() -> None:
    test = f"{__file__}::{test_round_trip_is_sum_of_four_delays.__name__}"
    command = ["unshare", "--user", "--map-root-user", "--net", sys.executable, "-m", "pytest", "-q", "-rs", test]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "1 passed" in ended.stdout, ended.stdout + ended.stderr
