"""The payloads of extended messages: the extension handshake (BEP 10), ut_metadata (BEP 9) and ut_pex (BEP 11).

An extended message has the id that its receiver chose in its own handshake, which a single packet does not tell. But
the payloads of these extensions have keys that no other has, and so their messages are recognised.
"""

from typing import Any, Final

from scapy.packet import Packet, Raw, bind_layers

from testbed.wiretap.layers.fields import (
    IPV6_STRIDE,
    AddressesEntry,
    BencodedDictionary,
    BytesEntry,
    NumberEntry,
    NumbersEntry,
    OtherEntries,
    StringEntry,
    dictionary_keys,
)
from testbed.wiretap.layers.messages import Extended


class ExtensionHandshake(BencodedDictionary):
    """What the sender supports: in `m`, the extensions by name, with the ids for messages to it."""

    name = "extension handshake"
    fields_desc = [
        NumbersEntry("m"),
        StringEntry("v"),
        NumberEntry("p"),
        NumberEntry("reqq"),
        StringEntry("yourip"),
        StringEntry("ipv4"),
        StringEntry("ipv6"),
        NumberEntry("metadata_size"),
        NumberEntry("upload_only"),
        OtherEntries("others"),
    ]


class _MetadataMessage(BencodedDictionary):
    fields_desc = [NumberEntry("msg_type"), NumberEntry("piece"), NumberEntry("total_size"), OtherEntries("others")]


class MetadataRequest(_MetadataMessage):
    """A request for a piece of the info dictionary."""

    name = "ut_metadata request"
    msg_type = 0


class MetadataData(_MetadataMessage):
    """A piece of the info dictionary, which is the payload of this layer."""

    name = "ut_metadata data"
    msg_type = 1


class MetadataReject(_MetadataMessage):
    """A piece of the info dictionary that will not be sent."""

    name = "ut_metadata reject"
    msg_type = 2


class PeerExchange(BencodedDictionary):
    """Peers that the sender connected to or left; `added_flags` has one number for each that was added."""

    name = "ut_pex"
    fields_desc = [
        AddressesEntry("added"),
        BytesEntry("added_flags", b"added.f"),
        AddressesEntry("dropped"),
        AddressesEntry("added6", stride=IPV6_STRIDE),
        BytesEntry("added6_flags", b"added6.f"),
        AddressesEntry("dropped6", stride=IPV6_STRIDE),
        OtherEntries("others"),
    ]


_METADATA: Final = {0: MetadataRequest, 1: MetadataData, 2: MetadataReject}
_PEX_KEYS: Final = frozenset({b"added", b"added6", b"dropped", b"dropped6"})


class ExtensionPayload(Packet):
    """What follows the id of an extended message; dissects as one of the classes above, or as Raw."""

    name = "extension payload"

    @classmethod
    def dispatch_hook(cls, _pkt: bytes | None = None, *_: Any, **words: Any) -> type[Packet]:
        data = _pkt or b""
        keys = dictionary_keys(data)
        if keys is None:
            return Raw
        if getattr(words.get("_underlayer"), "extension", None) == 0:
            return ExtensionHandshake
        if b"msg_type" in keys:
            return _METADATA.get(MetadataRequest(data).msg_type, Raw)
        return PeerExchange if keys & _PEX_KEYS else Raw


bind_layers(Extended, ExtensionPayload)
bind_layers(Extended, ExtensionHandshake, extension=0)
