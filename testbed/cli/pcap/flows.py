"""`testbed pcap flows`: the connections of a capture, one a row."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from contract.wording import counted
from testbed.cli.pcap.source import Source, open_source
from testbed.cli.terminal.as_json import print_json
from testbed.cli.terminal.layout import Column, format_table, line_width
from testbed.cli.terminal.output import decimal
from testbed.cli.terminal.pipes import reader_may_leave
from testbed.cli.terminal.sizes import about
from testbed.wiretap.messages import ConnectionSummary, Direction
from testbed.wiretap.totals.conversations import middle

_HEADER: Final = (
    Column("opener"),
    Column("acceptor"),
    Column("carries", 1),
    Column("begins (s)"),
    Column("lasts (s)", 2),
    Column("end", 4),
    Column("out"),
    Column("in"),
    Column("again %", 5),
    Column("rtt (ms)", 3),
    Column("opening (ms)", 6),
    Column("place", 7),
)


def show_flows(target: Path, runs: Path, trial: str | None, host: str | None, *, json: bool) -> int:
    """Print the connections; returns the exit status."""
    source = open_source(target, runs, trial, host)
    for _ in source.messages():
        pass
    flows = sorted(_flows(source), key=lambda each: each[1].began)
    with reader_may_leave():
        if json:
            print_json([_plain(source, place, flow) for place, flow in flows])
        elif flows:
            print(format_table(_HEADER, [_row(source, place, flow) for place, flow in flows], line_width(sys.stdout)))
            print(f"{counted(len(flows), 'connection')} in {source.title}")
        else:
            print(f"there are no connections in {source.title}")
    return source.complain()


def _flows(source: Source) -> Iterator[tuple[str, ConnectionSummary]]:
    for place, flow in source.captures.connections():
        if source.concerns(flow.opener, flow.acceptor):
            yield place, flow


def _row(source: Source, place: str, flow: ConnectionSummary) -> list[str]:
    rtt = middle(flow.rtts)
    payload = flow.forward.payload + flow.back.payload
    again = (flow.forward.retransmitted + flow.back.retransmitted) / payload if payload else 0.0
    return [
        source.name(flow.opener),
        source.name(flow.acceptor),
        flow.application,
        f"{source.seconds(flow.began):.3f}",
        decimal((flow.ended - flow.began) / 1e9, 4),
        flow.end if flow.has_begin or flow.protocol == "udp" else f"{flow.end}, begun before",
        about(flow.forward.payload),
        about(flow.back.payload),
        decimal(100 * again, 2),
        "-" if rtt is None else decimal(rtt / 1e6, 3),
        "-" if flow.handshake_rtt is None else decimal(flow.handshake_rtt / 1e6, 3),
        place,
    ]


def _plain(source: Source, place: str, flow: ConnectionSummary) -> dict[str, Any]:
    rtt = middle(flow.rtts)
    return {
        "place": place,
        "connection": flow.number,
        "protocol": flow.protocol,
        "application": flow.application,
        "opener": source.name(flow.opener),
        "opener_address": flow.opener.address,
        "opener_port": flow.opener.port,
        "acceptor": source.name(flow.acceptor),
        "acceptor_address": flow.acceptor.address,
        "acceptor_port": flow.acceptor.port,
        "began": source.seconds(flow.began),
        "ended": source.seconds(flow.ended),
        "has_begin": flow.has_begin,
        "end": flow.end,
        "forward": _direction(flow.forward),
        "back": _direction(flow.back),
        "handshake_rtt_s": None if flow.handshake_rtt is None else flow.handshake_rtt / 1e9,
        "rtt_median_s": None if rtt is None else rtt / 1e9,
    }


def _direction(direction: Direction) -> dict[str, int]:
    names = ("packets", "payload", "retransmitted", "out_of_order")
    return {name: getattr(direction, name) for name in names}
