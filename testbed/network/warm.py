"""A warm interpreter: a Python process that has imported what programs need, and forks one for each request.

Hundreds of fresh interpreters take seconds to start and ten megabytes each. A fork takes a millisecond and shares its
memory. The child enters the host's namespace and then runs `python -m module arguments`, as far as the module can tell.

The two sides talk over a socket of whole messages, in JSON: a request (with the namespace's descriptor beside it) is
answered by the child's pid; a child's end is reported when it happens.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from testbed.errors import ExplainedError
from testbed.network.syscalls import CLONE_NEWNET, die_with_parent, setns

_MAX_MESSAGE = 1 << 16


class WarmInterpreterError(ExplainedError):
    """The warm interpreter could not start, or is gone."""


class WarmInterpreter:
    """Our side: a handle on the process that forks."""

    def __init__(self, preload: Sequence[str] = ()) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ended: dict[int, int] = {}
        with theirs:
            command = [sys.executable, "-m", __spec__.name, str(theirs.fileno()), *preload]
            self._server = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)

    def fork(self, namespace: int, words: Sequence[str], out: Path, err: Path) -> int:
        """Start module `words[0]` with the other words as its arguments; returns its pid."""
        request = json.dumps({"words": list(words), "out": str(out), "err": str(err)}).encode()
        try:
            socket.send_fds(self._socket, [request], [namespace])
        except BrokenPipeError as error:
            raise WarmInterpreterError("the warm interpreter is gone: see its error above") from error
        return int(self._receive("started")["pid"])

    def exit_status(self, pid: int) -> int:
        """How a child ended, negative for a signal; waits until it has."""
        while pid not in self._ended:
            self._receive("ended")
        return self._ended.pop(pid)

    def close(self) -> None:
        """End the warm interpreter; its children go on."""
        self._socket.close()
        self._server.wait()

    def _receive(self, kind: str) -> dict[str, Any]:
        """The next message of a kind; ends of children that come before it are noted."""
        while True:
            data = self._socket.recv(_MAX_MESSAGE)
            if not data:
                raise WarmInterpreterError("the warm interpreter ended: see its error above")
            message: dict[str, Any] = json.loads(data)
            if message["kind"] == "ended":
                self._ended[message["pid"]] = message["status"]
            if message["kind"] == kind:
                return message


def serve(channel: socket.socket, preload: Sequence[str]) -> None:
    """Their side: import, then fork for each request until the other side closes the channel."""
    for module in preload:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    wake, waker = socket.socketpair()
    for end in (wake, waker):
        end.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([channel, wake], [], [])
        if wake in ready:
            wake.recv(_MAX_MESSAGE)
            _report_ended(channel)
        if channel in ready and not _answer(channel):
            return


def _answer(channel: socket.socket) -> bool:
    """Fork for one request; False when the other side has gone."""
    data, descriptors, _, _ = socket.recv_fds(channel, _MAX_MESSAGE, 1)
    if not data:
        return False
    request = json.loads(data)
    pid = os.fork()
    if pid == 0:
        channel.close()
        _become(request, descriptors[0])
    os.close(descriptors[0])
    channel.send(json.dumps({"kind": "started", "pid": pid}).encode())
    return True


def _report_ended(channel: socket.socket) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            pid, status = ended
            report = {"kind": "ended", "pid": pid, "status": os.waitstatus_to_exitcode(status)}
            channel.send(json.dumps(report).encode())


def _become(request: dict[str, Any], namespace: int) -> NoReturn:
    """In the child: be a program on a host."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        setns(namespace, CLONE_NEWNET)
        os.close(namespace)
        _redirect(request["out"], 1)
        _redirect(request["err"], 2)
        sys.argv = list(request["words"])
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = _status_of(end.code)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _status_of(code: object) -> int:
    """The exit status that an interpreter makes of SystemExit's argument."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def _redirect(path: str, descriptor: int) -> None:
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(opened, descriptor)
    os.close(opened)


if __name__ == "__main__":
    die_with_parent()
    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
