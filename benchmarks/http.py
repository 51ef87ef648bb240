"""HTTP message heads per second: our codec, h11 and httptools.

    python -m benchmarks.http [--repeat 5]

Two exchanges from the server's side: an announcement to a tracker (a long query, four header lines), and a request for
a range of a file. A codec parses the request's head, decides whether the connection persists and how long the body is,
and writes the response's head. h11 and httptools are optional; they are measured where they are installed.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

from peer.bittorrent.wire.tracker.http import announce_url
from peer.bittorrent.wire.tracker.messages import AnnounceRequest
from peer.net.http import encode_response, parse_request, take_head

SECONDS: Final = 1.0
FIELDS: Final = {"Content-Type": "text/plain", "Content-Length": 91}

_ASKED: Final = AnnounceRequest(bytes(range(20)), b"-TB0100-abcdefghijkl", 6881, 1, 2, left=3, numwant=50, key="5f")
EXCHANGES: Final = {
    "announce": (
        f"GET {announce_url('/announce', _ASKED)} HTTP/1.1\r\nHost: 198.18.0.9:6969\r\nUser-Agent: Testbed/0.1.0\r\n"
        "Accept-Encoding: gzip\r\nConnection: keep-alive\r\n\r\n"
    ).encode(),
    "range": b"GET /file.bin HTTP/1.1\r\nHost: 198.18.0.1:8080\r\nAccept-Encoding: identity\r\n"
    b'Range: bytes=1048576-\r\nIf-Range: "185f5c3a-100000"\r\n\r\n',
}


def with_ours(data: bytes) -> None:
    head = take_head(bytearray(data), 4096)
    assert head is not None
    request = parse_request(head)
    encode_response(200, FIELDS, is_last=request.is_last)


def h11_codec() -> Callable[[bytes], None]:
    import h11  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

    connection = h11.Connection(h11.SERVER)
    fields = [(name, str(value)) for name, value in FIELDS.items()]

    def exchange(data: bytes) -> None:
        connection.receive_data(data)
        connection.next_event()
        connection.next_event()
        connection.send(h11.Response(status_code=200, headers=fields, reason=b"OK"))
        connection.send(h11.Data(data=bytes(91)))
        connection.send(h11.EndOfMessage())
        connection.start_next_cycle()

    return exchange


def httptools_codec() -> Callable[[bytes], None]:
    import httptools  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

    class Handler:
        def __init__(self) -> None:
            self.url, self.headers = b"", dict[bytes, bytes]()

        def on_url(self, url: bytes) -> None:
            self.url = url

        def on_header(self, name: bytes, value: bytes) -> None:
            self.headers[name.lower()] = value

    def exchange(data: bytes) -> None:
        handler = Handler()
        parser = httptools.HttpRequestParser(handler)
        parser.feed_data(data)
        httptools.parse_url(handler.url)
        # httptools writes no heads.
        encode_response(200, FIELDS, is_last=not parser.should_keep_alive())

    return exchange


def per_second(exchange: Callable[[bytes], Any], data: bytes) -> float:
    count, begin = 0, time.process_time()
    while (took := time.process_time() - begin) < SECONDS:
        for _ in range(1000):
            exchange(data)
        count += 1000
    return count / took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5, help="measurements of each codec, alternating (default: 5)")
    repeat = parser.parse_args().repeat
    codecs: dict[str, Callable[[bytes], None]] = {"ours": with_ours}
    for name, make in (("h11", h11_codec), ("httptools", httptools_codec)):
        try:
            codecs[name] = make()
        except ImportError:
            print(f"{name} is not installed")
    print("exchanges per CPU second, median (extremes)")
    for kind, data in EXCHANGES.items():
        found: dict[str, list[float]] = {name: [] for name in codecs}
        for _ in range(repeat):
            for name, exchange in codecs.items():
                found[name].append(per_second(exchange, data))
        for name, values in found.items():
            print(f"{kind:9} {name:10} {statistics.median(values):9,.0f} ({min(values):,.0f} - {max(values):,.0f})")


if __name__ == "__main__":
    main()
