"""Which format a capture file has, by its first bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from testbed.errors import ExplainedError
from testbed.wiretap.files.frames import Frames
from testbed.wiretap.files.links import LINKS
from testbed.wiretap.files.pcap import HEAD_BYTES, PcapFrames, is_pcap
from testbed.wiretap.files.pcapng import PcapngFrames, is_pcapng
from testbed.wiretap.files.source import Source

_KNOWN: Final = {
    b"PK\x03\x04": "a ZIP archive: unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed with zstd: unpack it first (unzstd)",
    b"\xfd7zXZ": "compressed with xz: unpack it first (unxz)",
    b"BZh": "compressed with bzip2: unpack it first (bunzip2)",
    b"\x34\xcd\xb2\xa1": "a capture of a modified pcap format: convert it first (editcap -F pcapng)",
    b"\xa1\xb2\xcd\x34": "a capture of a modified pcap format: convert it first (editcap -F pcapng)",
    b"snoop\0\0\0": "a capture of Solaris' snoop: convert it first (editcap -F pcapng)",
    b"\x7fELF": "a program",
    b"SQLite": "a database",
    b"PAR1": "a Parquet table",
    b"%PDF": "a PDF document",
    b"d8:announce": "a torrent",
}


@contextmanager
def opened_capture(file: Path) -> Iterator[Frames]:
    """Open a capture and read its head; raises ExplainedError if it is none."""
    with Source(file) as source:
        yield _frames(source)


def _frames(source: Source) -> Frames:
    head = b""
    while len(head) < HEAD_BYTES and (more := source.read()):
        head += more
    if source.damage:
        raise ExplainedError(source.damage)
    if is_pcap(head) and len(head) >= HEAD_BYTES:
        frames = PcapFrames(head, source)
        if frames.link not in LINKS:
            raise ExplainedError(
                f"{source.path} is a capture of link type {frames.link}, which is not read; "
                f"read are {', '.join(sorted({link.name for link in LINKS.values()}))}"
            )
        return frames
    if is_pcapng(head):
        blocks = PcapngFrames(head, source)
        blocks.read_head()
        return blocks
    raise ExplainedError(
        f"{source.path} is no capture that can be read (pcap or pcapng, also packed by gzip): it is {_what(head)}"
    )


def _what(head: bytes) -> str:
    if not head:
        return "empty"
    for magic, what in _KNOWN.items():
        if head.startswith(magic):
            return what
    if is_pcap(head):
        return f"a pcap file that ends within its head, after {len(head)} bytes"
    if head[:4] == b"\x0a\x0d\x0d\x0a":
        return "a damaged pcapng file"
    text = head[:200]
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in text):
        return f"a text that begins with {text[:30].decode()!r}"
    return f"something that begins with the bytes {head[:8].hex(' ')}"
