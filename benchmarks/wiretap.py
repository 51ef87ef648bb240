"""Captures to tables of messages: our reader beside tshark, in megabytes of capture a second.

sudo .venv/bin/python -m benchmarks.wiretap                  captures a swarm, then compares
.venv/bin/python -m benchmarks.wiretap speed CAPTURE         compares on a capture of yours
.venv/bin/python -m benchmarks.wiretap memory CAPTURE        repeats a capture up to 2 GB, reads that, and deletes it
.venv/bin/python -m benchmarks.wiretap snaplen CAPTURE       cuts its packets, and counts the messages that are left
.venv/bin/python -m benchmarks.wiretap heads CAPTURE         finds the segments of a capture in several ways

Both programs write the same columns of the same file, in turns. tshark analyses with all dissectors off that it can do
without. `heads` shows what other libraries need for a part of the work: from the file to each segment's numbers.
"""

import argparse
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.clients import Client, make_torrent, start_tracker
from testbed.network import Network, sandbox
from testbed.trial.capture.capture import capturing
from testbed.wiretap import read_capture
from testbed.wiretap.files.opening import opened_capture
from topologies.star import Star

REPOSITORY = Path(__file__).resolve().parent.parent
ROUNDS = 5
LOOK_AGAIN_SECONDS = 0.02
SNAPLEN = 128
SNAPLENS = (96, 128, 192, 256, 512, 1024)
LARGE = 2_000_000_000
LEECHES, MEBIBYTES, MEGABITS = 4, 160, 60
RECORD = struct.Struct("<IIII")
NEEDED = {"eth", "eth_maybefcs", "eth_withoutfcs", "ethertype", "frame", "ip", "tcp", "bittorrent", "data"}
COLUMNS = (
    "frame.number",
    "frame.time_epoch",
    "ip.src",
    "tcp.srcport",
    "ip.dst",
    "tcp.dstport",
    "bittorrent.msg.length",
    "bittorrent.msg.type",
    "bittorrent.piece.index",
    "bittorrent.piece.begin",
    "bittorrent.piece.length",
)


def our_command(capture: Path) -> list[str]:
    return [sys.executable, "-m", "benchmarks.wiretap_table", str(capture)]


def tshark_command(capture: Path) -> list[str]:
    listed = subprocess.run(["tshark", "-G", "protocols"], capture_output=True, text=True, check=True).stdout
    names = {line.split("\t")[2] for line in listed.splitlines()}
    off = [word for name in sorted(names - NEEDED) for word in ("--disable-protocol", name)]
    shown = [word for column in COLUMNS for word in ("-e", column)]
    return ["tshark", "-n", *off, "-r", str(capture), "-Y", "bittorrent", "-T", "fields", *shown]


def run(command: list[str], output: Path) -> tuple[float, float]:
    """Run a program; returns its seconds and its most memory in MiB."""
    began, most = time.perf_counter(), 0.0
    with output.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.DEVNULL, cwd=REPOSITORY)
        # The kernel's own account of a child includes the memory that its parent had when it was forked.
        while process.poll() is None:
            most = max(most, most_memory(process.pid))
            with suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_AGAIN_SECONDS)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed")
    return time.perf_counter() - began, most


def most_memory(pid: int) -> float:
    """Return the most memory that a process has had, in MiB; 0 when it has just ended."""
    with suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0
    return 0.0


def compare(capture: Path, name: str, folder: Path) -> None:
    theirs = tshark_command(capture)
    size = capture.stat().st_size / 1e6
    rows = []
    for _ in range(ROUNDS):
        ours, memory = run(our_command(capture), folder / "out")
        other, other_memory = run(theirs, folder / "out")
        rows.append((ours, other, memory, other_memory))
    ours, other, memory, other_memory = (statistics.median(column) for column in zip(*rows, strict=True))
    ratios = sorted(other / ours for ours, other, *_ in rows)
    ratio = f"{statistics.median(ratios):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})"
    speeds = f"{size / ours:.0f} | {size / other:.1f}"
    print(f"| {name} | {size:.0f} | {speeds} | {ratio} | {memory:.0f} | {other_memory:.0f} |", flush=True)


def speed(capture: Path) -> None:
    with temporary() as folder:
        cut = folder / "cut.pcap"
        cut_packets(capture, cut, SNAPLEN)
        print("| capture | MB | ours, MB/s | tshark, MB/s | times as fast | ours, MiB | tshark, MiB |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        compare(capture, "whole packets", folder)
        compare(cut, f"{SNAPLEN} bytes of each packet", folder)


def snaplen(capture: Path) -> None:
    """Count what is found in a capture of which the packets are cut, as shares of what is in it."""
    kinds = ("piece", "request", "have", "choke", "unchoke")
    print(f"| snaplen | size | {' | '.join(kinds)} | of pieces inferred |\n|{' --- |' * (len(kinds) + 3)}")
    with temporary() as folder:
        whole, _ = count(capture)
        for length in SNAPLENS:
            cut_packets(capture, folder / "cut", length)
            found, inferred = count(folder / "cut")
            shares = " | ".join(f"{found[kind] / whole[kind]:.0%}" if whole[kind] else "-" for kind in kinds)
            size = (folder / "cut").stat().st_size / capture.stat().st_size
            print(f"| {length} | {size:.0%} | {shares} | {inferred / max(1, found['piece']):.0%} |")


def count(capture: Path) -> tuple[Counter[str], int]:
    kinds: Counter[str] = Counter()
    inferred = 0
    for message in read_capture(capture).messages():
        kinds[message.kind] += 1
        inferred += "inferred" in message.fields
    return kinds, inferred


def cut_packets(capture: Path, to: Path, snaplen: int) -> None:
    """Write a capture as if it had been made with a short snaplen."""
    with opened_capture(capture) as frames, to.open("wb") as file:
        file.write(pcap_head())
        for at, data, start, end, length, _ in frames:
            kept = data[start : min(end, start + snaplen)]
            file.write(RECORD.pack(at // 10**9, at % 10**9, len(kept), length) + kept)


def pcap_head() -> bytes:
    return struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 1 << 18, 1)


def memory(capture: Path) -> None:
    with temporary() as folder:
        large = folder / "large.pcap"
        repeat(capture, large)
        size = large.stat().st_size
        seconds, most = run(our_command(large), folder / "out")
        rows = sum(1 for _ in (folder / "out").open())
        print(f"{size / 1e6:.0f} MB, {rows} messages: {size / 1e6 / seconds:.0f} MB/s, at most {most:.0f} MiB")


def repeat(capture: Path, to: Path) -> None:
    """Write the packets again and again, each time later and with other addresses, up to LARGE bytes."""
    with to.open("wb") as file:
        file.write(pcap_head())
        number = 0
        while file.tell() < LARGE:
            number += 1
            with opened_capture(capture) as frames:
                for at, data, start, end, length, _ in frames:
                    later, frame = at + number * 3600 * 10**9, bytearray(data[start:end])
                    frame[26] = frame[30] = number
                    file.write(RECORD.pack(later // 10**9, later % 10**9, len(frame), length) + frame)


def heads(capture: Path) -> None:
    """Count the payload of all segments, in ways that are quick to write."""
    print("| from file to segments | microseconds a packet | payload |\n| --- | --- | --- |")
    for name, way in WAYS.items():
        times = []
        try:
            for _ in range(ROUNDS):
                began = time.process_time()
                packets, payload = way(capture)
                times.append(time.process_time() - began)
        except ImportError as error:
            print(f"| {name} | {error} | |")
            continue
        print(f"| {name} | {min(times) / packets * 1e6:.2f} | {payload} |", flush=True)


def with_struct(capture: Path) -> tuple[int, int]:
    unpack, packets, payload = struct.Struct(">12xHBxH2xHxB2x12sIIBB").unpack_from, 0, 0
    with opened_capture(capture) as frames:
        for _, data, start, end, _, _ in frames:
            packets += 1
            if end - start >= 54:
                kind, head, total, _, protocol, _, _, _, offset, _ = unpack(data, start)
                if kind == 0x0800 and head == 0x45 and protocol == 6:
                    payload += total - 20 - (offset >> 4) * 4
    return packets, payload


def with_dpkt(capture: Path) -> tuple[int, int]:
    import dpkt  # type: ignore[import-not-found]  # noqa: PLC0415

    packets = payload = 0
    with capture.open("rb") as file:
        for _, data in dpkt.pcap.Reader(file):
            packets += 1
            segment = getattr(dpkt.ethernet.Ethernet(data).data, "data", None)
            if isinstance(segment, dpkt.tcp.TCP):
                payload += len(segment.data)
    return packets, payload


def with_scapy(capture: Path) -> tuple[int, int]:
    from scapy.layers.inet import TCP  # noqa: PLC0415
    from scapy.layers.l2 import Ether  # noqa: PLC0415
    from scapy.utils import RawPcapReader  # noqa: PLC0415

    packets = payload = 0
    for data, _ in RawPcapReader(str(capture)):
        packets += 1
        frame = Ether(data)
        if TCP in frame:
            payload += len(frame[TCP].payload)
    return packets, payload


def with_numpy(capture: Path) -> tuple[int, int]:
    """Gather the headers of all packets; where they begin is found one after the other."""
    import numpy as np  # noqa: PLC0415

    data = capture.read_bytes()
    captured, begins, at = struct.Struct("<I").unpack_from, [], 24
    while at + 16 <= len(data):
        begins.append(at + 16)
        at += 16 + captured(data, at + 8)[0]
    usable = np.array([begin for begin in begins if begin + 54 <= len(data)])
    head = np.frombuffer(data, np.uint8)[usable[:, None] + np.arange(54)].astype(np.int64)
    is_tcp = (head[:, 12] == 8) & (head[:, 13] == 0) & (head[:, 14] == 0x45) & (head[:, 23] == 6)
    lengths = head[:, 16] * 256 + head[:, 17] - 20 - (head[:, 46] >> 4) * 4
    return len(begins), int(lengths[is_tcp].sum())


def with_reader(capture: Path) -> tuple[int, int]:
    reading = read_capture(capture)
    for _ in reading.messages():
        pass
    return reading.packets, sum(each.forward.payload + each.back.payload for each in reading.connections)


WAYS: Mapping[str, Callable[[Path], tuple[int, int]]] = {
    "struct": with_struct,
    "numpy": with_numpy,
    "dpkt": with_dpkt,
    "scapy": with_scapy,
    "for comparison: our reader, from file to messages": with_reader,
}


@contextmanager
def temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="wiretap-") as folder:
        yield Path(folder)


def capture_swarm(folder: Path) -> Path:
    """Let our peers share a file, and capture what one of the leeches sends and receives."""
    rates = [MEGABITS * 1_000_000] * (LEECHES + 2)
    with Network(Star(n=len(rates), up=rates, down=rates), output=folder / "output") as network:
        tracker, seed, *leeches = network.hosts
        torrent, data = make_torrent(folder / "content", MEBIBYTES << 20, 256 << 10, start_tracker(tracker))
        client = Client("ours")
        with capturing(network, [leeches[0].name], folder):
            client.seed(seed, torrent, data, folder / "seed").wait_ready("^ready ", 20)
            started = [client.leech(host, torrent, folder / host.name, folder / f"{host.name}-out") for host in leeches]
            for process in started:
                process.wait_ready("^completed", 120)
        return folder / f"{leeches[0].name}.pcap"


def everything() -> None:
    with temporary() as folder:
        capture = Path(sandbox.run(lambda: str(capture_swarm(folder))))
        speed(capture)
        print()
        memory(capture)
        print()
        snaplen(capture)
        print()
        heads(capture)


def main() -> None:
    parser = argparse.ArgumentParser(description="Captures to tables of messages, beside tshark")
    parser.add_argument("what", nargs="?", choices=("speed", "memory", "snaplen", "heads"))
    parser.add_argument("capture", nargs="?", type=Path)
    chosen = parser.parse_args()
    if chosen.what is None:
        everything()
    elif chosen.capture is None:
        parser.error("which capture?")
    else:
        {"speed": speed, "memory": memory, "snaplen": snaplen, "heads": heads}[chosen.what](chosen.capture)


if __name__ == "__main__":
    main()
