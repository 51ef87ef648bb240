"""How a direction of a link is shaped: the queueing disciplines at the egress of one of its ends.

A link has two directions, each shaped where its packets leave: "up" at the host's interface, "down" at the core's
interface towards the host. What is built there (parts that the shape does not need are left out):

    netem 2:                    delay, jitter, loss; holds packets before they reach the shaper
      htb 1: default 1
        class 1:1               rate r, burst max(3028 bytes, 1 ms of r)
          bfifo 11:             the link's queue, limited in bytes; or, where super-packets from faster links would be
                                bursts here, tbf 11: of the same size, which splits them
        class 1:2               not limited: acks="priority"
          bfifo 12:
        bpf filter -> 1:2       pure acknowledgements: TCP, ACK set, no SYN, FIN or RST, and no payload

- HTB counts the bytes of the frames that it sends, and super-packets as the frames that they become, so its rate is
  the one that `testbed.network.links.shape` defines. It was as exact as TBF at low rates and more so at 500 Mbit/s, and
  its classes can treat acknowledgements separately.
- The burst makes up for a late timer, and for no more. A larger one falsifies short transfers.
- An acknowledgement waits behind data on a real modem ("shared"): one saturated direction then starves the other. The
  textbook's u_i and d_i know no such coupling, so by default ("priority") acknowledgements take no part of the rate.
- TCP hands the kernel super-packets of many segments. A link's ends allow as many segments as leave within half a
  millisecond: one up to 48 Mbit/s, 41 at 1 Gbit/s.
- The rate of the splitting tbf has no meaning: only its burst matters, above which it splits packets.

Where the kernel has no netem the same impairments are added by `testbed.network.delaybox`, in the core.
"""

import socket
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pyroute2.netlink import nlmsg
from pyroute2.netlink.rtnl.tcmsg import tcmsg

from testbed.network.kernel.netlink import (
    RTM_DELQDISC,
    RTM_NEWQDISC,
    RTM_NEWTCLASS,
    RTM_NEWTFILTER,
    Message,
    attribute,
    encode,
)
from testbed.network.links.shape import FRAME_BYTES, Impairment, Shape

TC_ROOT: Final = 0xFFFFFFFF
HTB: Final = 0x0001_0000
DATA_CLASS: Final = 0x0001_0001
ACK_CLASS: Final = 0x0001_0002
DATA_QUEUE: Final = 0x0011_0000
ACK_QUEUE: Final = 0x0012_0000
NETEM: Final = 0x0002_0000

_NETEM_CHILD: Final = NETEM | 1
_INDEX_OFFSET: Final = 20  # after the netlink header, family and padding
_TICK_NS: Final = 64  # the unit of times in these interfaces: 1 << PSCHED_SHIFT
_UNLIMITED_BYTES: Final = 0xFFFF_FFF0
_ACK_QUEUE_BYTES: Final = 1 << 20
_NETEM_PACKETS: Final = 1_000_000
_LINKLAYER_ETHERNET: Final = 1  # the kernel then needs no table of transmission times

_RATE: Final = struct.Struct("=BBHhHI")
_HTB_DEFAULT_1: Final = attribute(2, struct.pack("=5I", 3, 10, 1, 0, 0))
# A filter's priority, and the protocol that it looks at.
_FIRST_AND_IPV4: Final = (1 << 16) | socket.htons(0x0800)


class _TcMessage(nlmsg):  # type: ignore[misc]
    """A traffic control message whose options are encoded here: pyroute2's helpers round rates, and lack bfifo."""

    prefix = "TCA_"
    fields = tcmsg.fields
    nla_map = (("TCA_UNSPEC", "none"), ("TCA_KIND", "asciiz"), ("TCA_OPTIONS", "cdata"))


@dataclass(frozen=True)
class Egress:
    """A shape at one interface, where super-packets of up to `arriving_segments` segments arrive."""

    shape: Shape
    arriving_segments: int | None
    netem: bool

    @property
    def must_split(self) -> bool:
        """Whether packets can arrive that are larger than this link allows."""
        own = self.shape.gso_segments
        return own is not None and (self.arriving_segments is None or self.arriving_segments > own)


def shaping_messages(egress: Egress, index: int) -> list[Message]:
    """Return the requests that build the egress of an interface."""
    return [Message(_stamped(message.data, index), message.what) for message in _template(egress)]


def _stamped(data: bytes, index: int) -> bytes:
    return data[:_INDEX_OFFSET] + struct.pack("=i", index) + data[_INDEX_OFFSET + 4 :]


@lru_cache(maxsize=4096)
def _template(egress: Egress) -> tuple[Message, ...]:
    """Return the requests without the interface's index: in nothing else do links of the same shape differ."""
    shape, messages, parent = egress.shape, [], TC_ROOT
    if egress.netem and shape.impairment:
        messages.append(_netem(shape.impairment))
        parent = _NETEM_CHILD
    if shape.rate is None:
        return tuple(messages)
    messages += [
        _qdisc("htb", parent, HTB, _HTB_DEFAULT_1),
        _htb_class(DATA_CLASS, shape.rate, shape.burst_bytes),
        _data_queue(egress),
    ]
    if shape.acks == "priority":
        messages += [
            _htb_class(ACK_CLASS, 8 * _UNLIMITED_BYTES, 1 << 20),
            _qdisc("bfifo", ACK_CLASS, ACK_QUEUE, struct.pack("=I", _ACK_QUEUE_BYTES)),
            _ack_filter(),
        ]
    return tuple(messages)


def _tc(kind: str, request: int, parent: int, handle: int, options: bytes, *, info: int = 0) -> Message:
    message = _TcMessage()
    message["parent"], message["handle"], message["info"] = parent, handle, info
    message["attrs"] = [("TCA_KIND", kind), ("TCA_OPTIONS", options)]
    name = f"{kind} {handle >> 16:x}:{handle & 0xFFFF:x}"
    if request == RTM_DELQDISC:
        return encode(message, request, f"remove {name}", flags=0)
    return encode(message, request, f"add {name}")


def _qdisc(kind: str, parent: int, handle: int, options: bytes) -> Message:
    return _tc(kind, RTM_NEWQDISC, parent, handle, options)


def _ratespec(bytes_per_second: int) -> bytes:
    return _RATE.pack(0, _LINKLAYER_ETHERNET, 0, 0, 0, bytes_per_second)


def _ticks(size: int, bytes_per_second: int) -> int:
    """Return how long `size` bytes take, in ticks of the kernel, rounded up."""
    return -(-size * 1_000_000_000 // (bytes_per_second * _TICK_NS))


def _htb_class(handle: int, rate: int, burst: int) -> Message:
    spec = _ratespec(rate // 8)
    buffer = _ticks(burst, rate // 8)
    options = spec + spec + struct.pack("=5I", buffer, buffer, 10 * FRAME_BYTES, 0, 0)
    return _tc("htb", RTM_NEWTCLASS, HTB, handle, attribute(1, options))


def _data_queue(egress: Egress) -> Message:
    shape = egress.shape
    if not egress.must_split:
        return _qdisc("bfifo", DATA_CLASS, DATA_QUEUE, struct.pack("=I", shape.queue_bytes))
    largest = (shape.gso_segments or 1) * FRAME_BYTES
    parameters = _ratespec(_UNLIMITED_BYTES) + _ratespec(0) + struct.pack("=3I", shape.queue_bytes, 0, 0)
    unlimited = struct.pack("=Q", 1 << 40)
    options = attribute(1, parameters) + attribute(4, unlimited) + attribute(6, struct.pack("=I", largest))
    return _qdisc("tbf", DATA_CLASS, DATA_QUEUE, options)


def _netem(impairment: Impairment) -> Message:
    loss = round(impairment.loss * 0xFFFF_FFFF)
    options = struct.pack("=6I", 0, _NETEM_PACKETS, loss, 0, 0, 0)
    options += attribute(10, struct.pack("=q", impairment.delay_us * 1000))
    options += attribute(11, struct.pack("=q", impairment.jitter_us * 1000))
    return _qdisc("netem", TC_ROOT, NETEM, options)


def _ack_filter() -> Message:
    program = _pure_ack_program()
    options = attribute(4, struct.pack("=H", len(program) // 8)) + attribute(5, program)
    options += attribute(3, struct.pack("=I", ACK_CLASS))
    return _tc("bpf", RTM_NEWTFILTER, HTB, 0, options, info=_FIRST_AND_IPV4)


def _pure_ack_program() -> bytes:
    """Return classic BPF over an Ethernet frame with IPv4: all ones (the filter's class) for a pure ACK, else 0."""
    load_half, load_byte, load_msh = 0x28, 0x30, 0xB1
    instructions = [
        (load_byte, 0, 0, 23),  # protocol
        (0x15, 0, 15, 6),  # TCP, or return 0
        (load_half, 0, 0, 20),
        (0x45, 13, 0, 0x1FFF),  # a later fragment has no TCP header: return 0
        (load_msh, 0, 0, 14),  # X = length of the IP header
        (0x50, 0, 0, 27),  # A = TCP flags
        (0x54, 0, 0, 0x17),  # of them ACK, RST, SYN, FIN
        (0x15, 0, 9, 0x10),  # only ACK, or return 0
        (0x50, 0, 0, 26),  # A = data offset in the upper half byte
        (0x54, 0, 0, 0xF0),
        (0x74, 0, 0, 2),  # A = length of the TCP header
        (0x0C, 0, 0, 0),  # A += X
        (0x02, 0, 0, 0),  # M[0] = length of both headers
        (load_half, 0, 0, 16),  # A = total length of the IP packet
        (0x61, 0, 0, 0),  # X = M[0]
        (0x1D, 0, 1, 0),  # equal: no payload
        (0x06, 0, 0, 0xFFFF_FFFF),
        (0x06, 0, 0, 0),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)


def probe_qdisc(kind: str, index: int, *, configured: bool = False) -> tuple[Message, Message]:
    """Return requests that add a queueing discipline to an interface, without options or with HTB's, and remove it."""
    add = _qdisc(kind, TC_ROOT, HTB, _HTB_DEFAULT_1 if configured else b"")
    remove = _tc(kind, RTM_DELQDISC, TC_ROOT, HTB, b"")
    return Message(_stamped(add.data, index), add.what), Message(_stamped(remove.data, index), remove.what)


def probe_filter(kind: str, index: int) -> Message:
    """Return a request that adds a filter without options to the HTB of an interface."""
    message = _tc(kind, RTM_NEWTFILTER, HTB, 0, b"", info=_FIRST_AND_IPV4)
    return Message(_stamped(message.data, index), message.what)
