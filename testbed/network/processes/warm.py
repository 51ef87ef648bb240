"""A warm interpreter: a Python process that has imported what programs need, and forks once per request.

Hundreds of fresh interpreters take seconds to start, and ten megabytes each. A fork takes a millisecond and shares its
memory. The child enters the host's namespace and then runs a module as `python -m module arguments` does.

The two sides exchange JSON messages over a packet socket. A request carries file descriptors of the namespace and of
both output files; its answer is the child's pid with a pidfd (by the time the answer is read, the child may have ended
and its pid may belong to another process). The end of a child is reported when it happens.
"""

import contextlib
import gc
import importlib
import json
import os
import resource
import runpy
import select
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from testbed.errors import ExplainedError
from testbed.network.kernel.syscalls import (
    CLONE_NEWNET,
    children_in_own_pid_namespace,
    die_with_parent,
    setns,
)

MOST_MEMORY: Final = 1 << 30
"""The most memory of its own, in bytes, that an isolated program may have. Ours take less than a tenth of it."""
_MAX_MESSAGE = 1 << 16
# Not `python -m`: that would import this module twice, once as a part of its package.
_SERVE = f"from {__name__} import main; main()"


class WarmInterpreterError(ExplainedError):
    """The warm interpreter could not start, or has ended."""


class WarmInterpreter:
    """The parent's handle on the process that forks."""

    def __init__(self, preload: Sequence[str] = ()) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ended: dict[int, int] = {}
        self._processor_seconds: dict[int, float] = {}
        with theirs:
            command = [sys.executable, "-c", _SERVE, str(theirs.fileno()), *preload]
            self._server = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)

    def fork(self, namespace: int, words: Sequence[str], out: Path, err: Path, *, isolated: bool) -> tuple[int, int]:
        """Run module `words[0]` with the other words as arguments; return its pid and a pidfd.

        An isolated program cannot signal others, what it starts ends with it, and its memory is limited.
        """
        request = json.dumps({"words": list(words), "isolated": isolated}).encode()
        with out.open("wb") as stdout, err.open("wb") as stderr:
            try:
                socket.send_fds(self._socket, [request], [namespace, stdout.fileno(), stderr.fileno()])
            except ConnectionError as error:
                raise self._gone() from error
        answer, descriptors = self._receive("started")
        return int(answer["pid"]), descriptors[0]

    def exit_status(self, pid: int) -> int:
        """Wait for a child to end, and return its exit status, negative for a signal."""
        while pid not in self._ended:
            self._receive("ended")
        return self._ended.pop(pid)

    def processor_seconds(self, pid: int) -> float:
        """Return the processor time of a child whose exit status is known, with all that it started and waited for."""
        return self._processor_seconds.pop(pid)

    def close(self) -> None:
        """End the warm interpreter; its children keep running."""
        self._socket.close()
        self._server.wait()

    def _receive(self, kind: str) -> tuple[dict[str, Any], list[int]]:
        """Return the next message of a kind and its descriptors, recording any ends of children before it."""
        while True:
            try:
                data, descriptors, _, _ = socket.recv_fds(self._socket, _MAX_MESSAGE, 1, socket.MSG_CMSG_CLOEXEC)
            except ConnectionError as error:  # it ended before it read a request
                raise self._gone() from error
            if not data:
                raise self._gone()
            message: dict[str, Any] = json.loads(data)
            if message["kind"] == "ended":
                self._ended[message["pid"]] = message["status"]
                self._processor_seconds[message["pid"]] = message["processor_seconds"]
            if message["kind"] == kind:
                return message, descriptors

    def _gone(self) -> WarmInterpreterError:
        status = self._server.wait()
        return WarmInterpreterError(
            f"the warm interpreter, which starts Python programs, ended with status {status};"
            " its error, if any, is above"
        )


def serve(channel: socket.socket, preload: Sequence[str]) -> None:
    """In the warm interpreter: import, then fork for each request until the parent closes the channel."""
    for module in preload:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    wake, waker = socket.socketpair()
    for end in (wake, waker):
        end.setblocking(False)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poller = select.poll()  # unlike select, poll takes descriptors above 1023, which large networks have
    for end in (channel, wake):
        poller.register(end, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in poller.poll()}
        if wake.fileno() in ready:
            wake.recv(_MAX_MESSAGE)
            _report_ended(channel)
        if channel.fileno() in ready and not _answer(channel):
            return


def _answer(channel: socket.socket) -> bool:
    """Fork for one request; return False if the parent has closed the channel."""
    data, descriptors, _, _ = socket.recv_fds(channel, _MAX_MESSAGE, 3, socket.MSG_CMSG_CLOEXEC)
    if not data:
        return False
    request = json.loads(data)
    with children_in_own_pid_namespace() if request["isolated"] else contextlib.nullcontext():
        pid = os.fork()
        if pid == 0:
            channel.close()
            if request["isolated"]:
                resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
            _become(request["words"], *descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    child = os.pidfd_open(pid)
    socket.send_fds(channel, [json.dumps({"kind": "started", "pid": pid}).encode()], [child])
    os.close(child)
    return True


def _report_ended(channel: socket.socket) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status, used = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            report = {
                "kind": "ended",
                "pid": pid,
                "status": os.waitstatus_to_exitcode(status),
                "processor_seconds": used.ru_utime + used.ru_stime,
            }
            channel.send(json.dumps(report).encode())


def _become(words: list[str], namespace: int, stdout: int, stderr: int) -> NoReturn:
    """In the child: become a program on a host."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        setns(namespace, CLONE_NEWNET)
        for descriptor in (namespace, stdout, stderr):
            os.close(descriptor)
        sys.argv = words
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
    """Return the exit status that Python derives from the argument of SystemExit."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def main() -> None:
    """Run the warm interpreter: `sys.argv` holds its end of the socket, and the modules to import."""
    die_with_parent()
    with contextlib.suppress(BrokenPipeError):  # the parent closed the channel while the end of a child was reported
        serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
