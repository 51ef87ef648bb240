"""Writes the messages of a capture to standard output, with the columns that benchmarks/wiretap.py asks tshark for."""

import sys
from pathlib import Path

from testbed.wiretap import read_capture


def main() -> None:
    write = sys.stdout.write
    for message in read_capture(Path(sys.argv[1])).messages():
        time, packet, _, source, destination, kind, _, length, fields = message
        get = fields.get
        ends = f"{source[0]}\t{source[1]}\t{destination[0]}\t{destination[1]}"
        block = f"{get('index', '')}\t{get('begin', '')}\t{get('length', '')}"
        write(f"{packet}\t{time}\t{ends}\t{length}\t{kind}\t{block}\n")


if __name__ == "__main__":
    main()
