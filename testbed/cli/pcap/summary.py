"""`testbed pcap summary`: the messages of a capture, added up."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from contract.wording import counted
from testbed.cli.pcap.messages import known_kinds
from testbed.cli.pcap.source import Source, open_source
from testbed.cli.terminal.as_json import print_json
from testbed.cli.terminal.layout import Column, format_table, line_width, wrapped
from testbed.cli.terminal.output import decimal
from testbed.cli.terminal.pipes import reader_may_leave
from testbed.cli.terminal.sizes import about
from testbed.wiretap.messages import Endpoint
from testbed.wiretap.totals.chokes import Chokes, Period, seconds
from testbed.wiretap.totals.conversations import Conversation, Conversations, middle

_MOST_PAIRS: Final = 40
_MOST_PERIODS: Final = 4
_PAIRS: Final = (
    Column("from"),
    Column("to"),
    Column("messages"),
    Column("blocks"),
    Column("Mbit/s", 1),
    Column("again %", 2),
    Column("rtt (ms)", 3),
    Column("group", 4),
    Column("to group", 5),
)
_KINDS: Final = (Column("message"), Column("count"), Column("bytes"))
_CHOKES: Final = (Column("unchokes"), Column("whom"), Column("times"), Column("s"), Column("from - to (s)"))


@dataclass
class Totals:
    """What is added up of a capture."""

    conversations: Conversations = field(default_factory=Conversations)
    chokes: Chokes = field(default_factory=Chokes)
    last: int = 0
    """The time of the last message or packet, in nanoseconds since 1970."""


def show_summary(
    target: Path, runs: Path, trial: str | None, host: str | None, kinds: Sequence[str], *, json: bool
) -> int:
    """Print the sums; returns the exit status."""
    chosen = known_kinds(kinds)
    source = open_source(target, runs, trial, host)
    totals = _added_up(source, chosen)
    with reader_may_leave():
        if json:
            print_json(_plain(source, totals))
        else:
            print("\n".join(_lines(source, totals, line_width(sys.stdout), is_narrowed=bool(chosen))))
    return source.complain()


def _added_up(source: Source, kinds: frozenset[str]) -> Totals:
    totals, captures = Totals(), source.captures
    for _, message in source.messages():
        sender, receiver = _label(source, message.source), _label(source, message.destination)
        if not kinds or message.kind in kinds:
            totals.conversations.add(sender, receiver, message)
        totals.chokes.add(sender, receiver, message)
        totals.last = max(totals.last, message.time)
    for _, each in captures.connections():
        if not source.concerns(each.opener, each.acceptor):
            continue
        totals.last = max(totals.last, each.ended)
        totals.conversations.add_connection(_label(source, each.opener), _label(source, each.acceptor), each)
        if each.end != "open":
            totals.chokes.connection_ended(each.opener, each.acceptor, each.ended)
    return totals


def _label(source: Source, end: Endpoint) -> str:
    """Name a host; of an unknown one its address, as its ports are many."""
    return source.captures.name(end)


def _lines(source: Source, totals: Totals, width: int | None, *, is_narrowed: bool) -> Iterator[str]:
    talk = totals.conversations
    yield wrapped(
        f"{source.title}: {counted(source.packets, 'packet')}, {counted(talk.kinds.total(), 'message')}", width
    )
    pairs = sorted(talk.pairs.items(), key=lambda each: (-each[1].blocks, -each[1].messages.total(), each[0]))
    pairs = [pair for pair in pairs if pair[1].messages or not is_narrowed]
    if pairs:
        yield ""
        yield format_table(_PAIRS, [_pair_row(source, names, pair) for names, pair in pairs[:_MOST_PAIRS]], width)
        yield from _rest(pairs)
    if talk.kinds:
        rows = [[kind, str(count), about(talk.bytes_by_kind[kind])] for kind, count in talk.kinds.most_common()]
        yield ""
        yield format_table(_KINDS, rows, width)
    if not is_narrowed:
        yield from _choke_lines(source, totals, width)


def _rest(rows: Sequence[object]) -> Iterator[str]:
    if len(rows) > _MOST_PAIRS:
        yield f"... and {counted(len(rows) - _MOST_PAIRS, 'more line')} (--json has all)"


def _pair_row(source: Source, names: tuple[str, str], pair: Conversation) -> list[str]:
    goodput, rtt = pair.goodput, middle(pair.rtts)
    again = pair.retransmitted / pair.payload if pair.payload else 0.0
    return [
        *names,
        str(pair.messages.total()),
        about(pair.blocks) if pair.blocks else "-",
        "-" if goodput is None else decimal(8 * goodput / 1e6, 3),
        decimal(100 * again, 2),
        "-" if rtt is None else decimal(rtt / 1e6, 3),
        *(source.groups.get(name, "") for name in names),
    ]


def _choke_lines(source: Source, totals: Totals, width: int | None) -> Iterator[str]:
    rows = [
        [giver, taker, str(len(periods)), decimal(seconds(periods, totals.last), 3), _periods(source, periods)]
        for giver, taker, periods in totals.chokes.all_periods()
    ]
    if rows:
        yield ""
        yield format_table(_CHOKES, rows[:_MOST_PAIRS], width)
        yield from _rest(rows)


def _periods(source: Source, periods: Sequence[Period]) -> str:
    shown = [
        f"{source.seconds(each.start):.1f} - {'end' if each.stop is None else f'{source.seconds(each.stop):.1f}'}"
        for each in periods[:_MOST_PERIODS]
    ]
    return ", ".join([*shown, *(["..."] if len(periods) > _MOST_PERIODS else [])])


def _plain(source: Source, totals: Totals) -> dict[str, Any]:
    talk = totals.conversations
    return {
        "capture": source.title,
        "packets": source.packets,
        "hosts": dict(source.groups) or dict.fromkeys(source.captures.names.values(), ""),
        "messages": {kind: _kind(talk, kind) for kind in talk.kinds},
        "pairs": [_plain_pair(source, names, pair) for names, pair in sorted(talk.pairs.items())],
        "unchoked": [
            {
                "giver": giver,
                "receiver": taker,
                "seconds": seconds(periods, totals.last),
                "periods": [
                    [source.seconds(each.start), None if each.stop is None else source.seconds(each.stop)]
                    for each in periods
                ],
            }
            for giver, taker, periods in totals.chokes.all_periods()
        ],
        "losses": {name: getattr(source.losses, name) for name in source.losses.__slots__},
    }


def _kind(talk: Conversations, kind: str) -> Mapping[str, int]:
    return {"count": talk.kinds[kind], "bytes": talk.bytes_by_kind[kind]}


def _plain_pair(source: Source, names: tuple[str, str], pair: Conversation) -> dict[str, Any]:
    rtt, goodput = middle(pair.rtts), pair.goodput
    return {
        "from": names[0],
        "to": names[1],
        "from_group": source.groups.get(names[0], ""),
        "to_group": source.groups.get(names[1], ""),
        "messages": dict(pair.messages),
        "block_bytes": pair.blocks,
        "goodput_bit_s": None if goodput is None else 8 * goodput,
        "stream_bytes": pair.payload,
        "packets": pair.packets,
        "retransmitted_bytes": pair.retransmitted,
        "out_of_order_packets": pair.out_of_order,
        "rtt_median_s": None if rtt is None else rtt / 1e9,
        "connections_opened": pair.connections,
    }
