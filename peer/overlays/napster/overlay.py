"""What runs nodes of Napster needs of it."""

from typing import Final

from peer.overlays.napster.client import Client, ClientParameters
from peer.overlays.napster.directory import Directory, DirectoryParameters
from peer.overlays.napster.wire import Decoder, encode
from peer.overlays.overlay import Role, Setup, StreamOverlay


def _directory(setup: Setup) -> Directory:
    return Directory(setup.address, setup.parameters, setup.record)


def _client(setup: Setup) -> Client:
    """Make a client of the first known directory; its nickname is drawn: that of the last life may still be in use."""
    nick = f"user{setup.rng.getrandbits(32):08x}"
    return Client(
        setup.address,
        setup.known[0],
        nick=nick,
        items=list(setup.items),
        parameters=setup.parameters,
        rng=setup.rng,
        record=setup.record,
    )


NAPSTER: Final = StreamOverlay(
    roles={
        "directory": Role(_directory, DirectoryParameters),
        "client": Role(_client, ClientParameters, least_known=1),
    },
    encode=encode,
    decoder=lambda _: Decoder(),
)
