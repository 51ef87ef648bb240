"""Asking a client over HTTP on the loopback interface of its own host."""

import json
import socket
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

SECONDS: Final = 2.0
"""How long an answer may take."""
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""A proxy of the machine is not for this."""


def call(port: int, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> bytes:
    """Ask a program on this host, with POST if there is a body, and return its answer; raises OSError."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, dict(headers or {}))
    with _OPENER.open(request, timeout=SECONDS) as answer:
        found: bytes = answer.read()
    return found


def json_call(port: int, path: str, question: object, headers: Mapping[str, str] | None = None) -> Any:
    """Ask with JSON, and return the JSON that is the answer; raises OSError or ValueError."""
    return json.loads(call(port, path, json.dumps(question).encode(), headers))


def free_port() -> int:
    """Return a port of the loopback interface that is free now: outside a trial, hosts may share that interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
