"""Announcing over HTTP: to our own tracker, and to trackers that lie, stall, redirect, or never end their answer."""

import asyncio
import gzip
import shutil
import ssl
import subprocess
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.client.trackers import Timeouts, TrackerClient, TrackerFailure
from peer.bittorrent.client.trackers.http_answer import MOST_BODY, MOST_HEAD, read_answer
from peer.bittorrent.tracker.registry import Policy
from peer.bittorrent.tracker.server import Options, serving
from peer.bittorrent.wire.tracker.messages import AnnounceRequest, AnnounceResponse, Event
from tests.peer.bittorrent.client.hostile import (
    HttpScript,
    Run,
    http_tracker,
    saying,
    then_silent,
)

ASK = AnnounceRequest(b"A" * 20, b"p" * 20, 6881, 0, 0, left=1, event=Event.STARTED)
LEAVE = AnnounceRequest(b"A" * 20, b"p" * 20, 6881, 0, 0, left=1, event=Event.STOPPED)
SHORT = Timeouts(http=0.1, leaving=0.05)
BODY = b"d8:intervali900e5:peers6:\xc6\x12\x00\x01\x1a\xe1e"
GOOD = AnnounceResponse(900, b"\xc6\x12\x00\x01\x1a\xe1")
REFUSAL = b"d14:failure reason12:not for\nyou!e"


def head(*fields: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode()


def answer(body: bytes, *fields: str, status: str = "200 OK") -> bytes:
    return head(f"Content-Length: {len(body)}", *fields, status=status) + body


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x;name=value\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


async def announce_to(
    script: HttpScript, request: AnnounceRequest = ASK, timeouts: Timeouts | None = None
) -> AnnounceResponse:
    async with http_tracker(script) as url:
        return await TrackerClient("127.0.0.1", timeouts).announce(url, request)


async def failure_of(script: HttpScript, request: AnnounceRequest = ASK, timeouts: Timeouts | None = None) -> str:
    with pytest.raises(TrackerFailure) as failed:
        await announce_to(script, request, timeouts)
    return str(failed.value)


async def failure_at(url: str, timeouts: Timeouts | None = None) -> str:
    with pytest.raises(TrackerFailure) as failed:
        await TrackerClient(None, timeouts).announce(url, ASK)
    return str(failed.value)


def test_clients_meet_at_our_tracker(run: Run[None]) -> None:
    async def main() -> None:
        async with serving(Options("127.0.0.1", 0, Policy(interval=77, min_interval=7))) as tracker:
            client = TrackerClient("127.0.0.1")
            first = await client.announce(f"http://{tracker}/announce", ASK)
            other = AnnounceRequest(b"A" * 20, b"q" * 20, 7, 0, 0, left=0)
            second = await client.announce(f"http://{tracker}/announce?passkey=x#fragment", other)
        assert (first.interval, first.min_interval, first.peer_count) == (77, 7, 0)
        assert [str(address) for address in second.addresses()] == ["127.0.0.1:6881"]
        assert (second.complete, second.incomplete) == (1, 1)

    run(main())


def test_request_has_host_and_close(run: Run[AnnounceResponse]) -> None:
    heads = []

    async def script(request: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(request.decode().split("\r\n"))
        await saying(answer(BODY))(request, writer)

    assert run(announce_to(script)) == GOOD
    line, *fields = heads[0]
    assert line.startswith("GET /announce?info_hash=AAAA")
    assert line.endswith("&event=started HTTP/1.1")
    assert any(field.startswith("Host: 127.0.0.1:") for field in fields)
    assert "Connection: close" in fields


@pytest.mark.parametrize(
    "told",
    [
        answer(BODY),
        answer(BODY) + b"more than was promised",
        head() + BODY,
        b"HTTP/1.0 200\n\n" + BODY,
        head("Transfer-Encoding: chunked") + chunks(BODY[:7], BODY[7:]),
        head("transfer-encoding: Chunked", "content-length: 3") + chunks(BODY),
        answer(gzip.compress(BODY), "Content-Encoding: gzip"),
        head("Transfer-Encoding: chunked", "Content-Encoding: gzip") + chunks(gzip.compress(BODY)),
        head(status="103 Early Hints") + answer(BODY),
    ],
)
def test_answer_may_have_any_form_and_portions(run: Run[AnnounceResponse], told: bytes) -> None:
    assert run(announce_to(saying(told))) == GOOD
    assert run(announce_to(saying(*[told[at : at + 1] for at in range(len(told))]))) == GOOD


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        (b"", "the connection ended inside an HTTP head"),
        (head()[:-2], "the connection ended inside an HTTP head"),
        (b"\x13BitTorrent protocol\n", "expected an HTTP answer, found '\\x13BitTorrent protocol'"),
        (bytes(100_000), "an HTTP head: expected lines of at most 16384 bytes, found a longer one"),
        (head(*["a: b"] * 5_000), "expected an HTTP head of at most 16384 bytes, found a longer one"),
        (head(status="103 Early Hints") * 1_000, "expected an HTTP head of at most 16384 bytes, found a longer one"),
        (answer(b""), "bencoding, byte 0: expected"),
        (answer(b"<html>"), "bencoding, byte 0: expected"),
        (answer(b"de"), "tracker's answer: expected an entry 'interval', found none"),
        (answer(b"d8:intervali-1ee"), "tracker's answer, 'interval': expected 0 to"),
        (answer(b"d8:intervali1e5:peers5:abcdee"), "tracker's answer, 'peers': expected a multiple of 6 bytes"),
        (answer(b"l" * 100_000), "bencoding, byte"),
        (head("Content-Length: 100") + BODY, f"the connection ended after {len(BODY)} of 100 bytes of the answer"),
        (head("Content-Length: -1") + BODY, "Content-Length: expected a number, found '-1'"),
        (head("Content-Length: 9999999999"), "expected an answer of at most 2097152 bytes, found 9999999999 or more"),
        (head("Transfer-Encoding: chunked") + b"x\r\n", "a chunked answer: expected a length in hex digits, found"),
        (head("Transfer-Encoding: chunked") + b"3\r\nabcd\r\n", "expected a line end behind a chunk"),
        (head("Transfer-Encoding: chunked") + b"3\r\nab", "the connection ended after 2 of 3 bytes"),
        (head("Transfer-Encoding: chunked") + b"ffffffff\r\n", "expected an answer of at most 2097152 bytes"),
        (head("Transfer-Encoding: zip"), "expected the transfer encoding chunked or none, found 'zip'"),
        (answer(BODY, "Content-Encoding: br"), "expected the content encoding gzip or none, found 'br'"),
        (answer(BODY, "Content-Encoding: gzip"), "the answer is not gzip, as its head says"),
        (answer(gzip.compress(BODY)[:-9], "Content-Encoding: gzip"), "the answer's gzip ends too early"),
        (answer(b"", status="404 Not Found"), "expected an answer, found the status 404 Not Found"),
        (answer(BODY, status="500 \x1b[31mOops"), "expected an answer, found the status 500 ?[31mOops"),
        (answer(BODY, status="304 Not Modified"), "expected an answer, found the status 304 Not Modified"),
        (answer(REFUSAL), "not for?you!"),
        (answer(REFUSAL, status="403 Forbidden"), "not for?you!"),
    ],
)
def test_bad_answer_is_an_explained_failure(run: Run[str], told: bytes, problem: str) -> None:
    assert problem in run(failure_of(saying(told)))


@pytest.mark.parametrize("began", [b"", head()[:9], head(), head("Content-Length: 9"), answer(BODY)[:-1]])
def test_stalled_tracker_times_out(run: Run[str], began: bytes) -> None:
    assert run(failure_of(then_silent(began), timeouts=SHORT)) == "no answer within 0.1 s"


def test_dripping_tracker_times_out(run: Run[str]) -> None:
    async def drip(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(head())
        while True:
            writer.write(b"x")
            await asyncio.sleep(0.01)

    assert run(failure_of(drip, timeouts=SHORT)) == "no answer within 0.1 s"


def test_leaving_waits_only_briefly(run: Run[str]) -> None:
    began = time.monotonic()
    assert run(failure_of(then_silent(), LEAVE, Timeouts(leaving=0.05))) == "no answer within 0.05 s"
    assert time.monotonic() - began < Timeouts().leaving


@pytest.mark.parametrize("fields", [[], ["Transfer-Encoding: chunked"]])
def test_endless_answer_uses_bounded_memory(run: Run[str], fields: list[str]) -> None:
    sent = 0

    async def flood(_: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(head(*fields))
        portion = bytes(1 << 16)
        while sent < 100 << 20:
            writer.write(chunks(portion)[:-5] if fields else portion)
            await writer.drain()
            sent += len(portion)

    tracemalloc.start()
    try:
        assert run(failure_of(flood)).startswith(f"expected an answer of at most {MOST_BODY} bytes, found ")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sent < 100 << 20
    assert peak < 5 * MOST_BODY


def test_gzip_bomb_is_refused_at_limit(run: Run[str]) -> None:
    bomb = gzip.compress(bytes(100 << 20), compresslevel=1)
    assert len(bomb) < MOST_BODY
    tracemalloc.start()
    try:
        problem = run(failure_of(saying(answer(bomb, "Content-Encoding: gzip"))))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert problem == f"expected an answer of at most {MOST_BODY} bytes, found {MOST_BODY + 1} or more"
    assert peak < 5 * MOST_BODY


def redirecting(*places: str) -> HttpScript:
    """Make a script that redirects the n-th request to the n-th place, and then answers."""
    left = list(places)

    async def script(request: bytes, writer: asyncio.StreamWriter) -> None:
        told = answer(b"", f"Location: {left.pop(0)}", status="302 Found") if left else answer(BODY)
        await saying(told)(request, writer)

    return script


def test_redirects_are_followed(run: Run[AnnounceResponse]) -> None:
    assert run(announce_to(redirecting("/b?x=1", "c", "../d#e", "?f", "/g"))) == GOOD


@pytest.mark.parametrize(
    ("places", "problem"),
    [
        (["/a", "/b", "/a"], "the tracker's redirects go in a circle"),
        (["/a", "/a"], "the tracker's redirects go in a circle"),
        (["/1", "/2", "/3", "/4", "/5", "/6"], "expected at most 5 redirects, found more"),
        (["file:///etc/passwd"], "expected a redirect to http or https, found 'file'"),
        (["udp://127.0.0.1:1/"], "expected a redirect to http or https, found 'udp'"),
        (["http://[broken/"], "expected a tracker's URL"),
        (["http://:80/"], "it lacks a host or a port"),
        (["http://127.0.0.1:99999/"], "expected a tracker's URL"),
        (["/caf\xe9"], "characters that are not printable ASCII"),
    ],
)
def test_bad_redirects_are_failures(run: Run[str], places: list[str], problem: str) -> None:
    assert problem in run(failure_of(redirecting(*places)))


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://127.0.0.1:1/announce", "Connection refused"),
        ("https://127.0.0.1:1/announce", "Connection refused"),
        ("wss://127.0.0.1:1/announce", "expected a tracker's URL with http, https or udp, found 'wss'"),
        ("announce", "expected a tracker's URL with http, https or udp, found ''"),
        ("http:announce", "it lacks a host or a port"),
        ("http://127.0.0.1:port/", "expected a tracker's URL"),
        ("http://127.0.0.1/a HTTP/1.1\r\nHost: elsewhere\r\n", "characters that are not printable ASCII"),
        ("http://" + "a" * 64 + "/announce", "its host is not a name"),
        ("http://a..b/announce", "its host is not a name"),
        ("http://[::1]:1/announce", ""),
        ("http://[::1/announce", "expected a tracker's URL"),
    ],
)
def test_unusable_url_is_a_failure(run: Run[str], url: str, problem: str) -> None:
    assert problem in run(failure_at(url))


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate for 127.0.0.1; gives its file, and a server's context with it."""
    if shutil.which("openssl") is None:
        pytest.skip("making a certificate needs openssl")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=tracker"]
    where = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(["openssl", "req", "-x509", *kind, *where], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context


def test_https_needs_trusted_certificate(
    run: Run[Any], certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, context = certificate

    async def main() -> AnnounceResponse:
        async with http_tracker(saying(answer(BODY)), context) as url:
            return await TrackerClient("127.0.0.1").announce(url, ASK)

    with pytest.raises(TrackerFailure, match="certificate verify failed"):
        run(main())
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    assert run(main()) == GOOD


def test_https_needs_tls(run: Run[str]) -> None:
    async def main() -> str:
        async with http_tracker(saying(answer(BODY))) as url:
            return await failure_at(url.replace("http", "https"), SHORT)

    assert run(main()) == "no answer within 0.1 s"


@given(st.binary(max_size=300) | st.binary(max_size=200).map(head().__add__))
def test_garbage_is_a_tracker_failure(garbage: bytes) -> None:
    async def main() -> None:
        reader = asyncio.StreamReader(limit=MOST_HEAD)
        reader.feed_data(garbage)
        reader.feed_eof()
        await read_answer(reader)

    with suppress(TrackerFailure):
        asyncio.run(main())
