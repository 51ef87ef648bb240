"""Fork a function into a sandbox and bring its result, or its exception, back."""

import os
import pickle
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn, TypeVar

from testbed.errors import ExplainedError
from testbed.network.sandbox.filesystem import mount_private_view
from testbed.network.syscalls import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    die_with_parent,
    unshare,
)

T = TypeVar("T")

_NAMESPACES = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS
_APPARMOR_SWITCH = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_inside = False


class SandboxError(ExplainedError):
    """The kernel would not give us a sandbox; the message says what to do."""


class SandboxKilledError(SandboxError):
    """The sandbox ended before its body had a result."""


class _RemoteTracebackError(Exception):
    """Shows, as the cause of an exception that crossed the border, where in the sandbox it was raised."""

    def __init__(self, text: str) -> None:
        super().__init__(f"\n{text}")


def inside_sandbox() -> bool:
    """Whether this process runs in a sandbox made by `run`."""
    return _inside


def run(body: Callable[[], T], *, interactive: bool = False) -> T:
    """Call `body` in a fresh sandbox and return what it returns; what it raises is raised here.

    The result must be picklable. SIGINT, SIGTERM and SIGHUP sent to the caller are passed on to the body, where the
    first raises KeyboardInterrupt and the others SystemExit. With `interactive` the body owns the terminal: it may
    read from it, and Ctrl-C goes to it alone. The sandbox lives no longer than the calling thread.
    """
    if threading.active_count() > 1:
        raise SandboxError("a sandbox starts by fork, which is safe only before a process has started other threads")
    receiver, sender = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    lifeline = _Lifeline()
    sys.stdout.flush()
    sys.stderr.flush()
    keeper = os.fork()
    if keeper == 0:
        receiver.close()
        _Keeper(body, sender, lifeline, interactive=interactive).main()
    sender.close()
    with receiver, lifeline, _signals_passed_on(keeper), _terminal_restored(enabled=interactive):
        message = _receive_all(receiver)
        _, status = os.waitpid(keeper, 0)
    return _unpack(message, status)  # type: ignore[return-value]


class _Lifeline:
    """Tells a child whether its parent had already died when the child asked to die with it."""

    def __init__(self) -> None:
        self._child_end, self._parent_end = os.pipe()

    def tie(self) -> None:
        """In the child: die with the parent, now or whenever."""
        os.close(self._parent_end)
        die_with_parent()
        os.set_blocking(self._child_end, False)
        try:
            os.read(self._child_end, 1)
        except BlockingIOError:
            os.close(self._child_end)
        else:
            os._exit(1)

    def __enter__(self) -> None:
        """In the parent: the end that stays open as long as we live."""
        os.close(self._child_end)

    def __exit__(self, *_exc: object) -> None:
        os.close(self._parent_end)


@contextmanager
def _signals_passed_on(child: int) -> Iterator[None]:
    def pass_on(number: int, _frame: FrameType | None) -> None:
        os.kill(child, number)

    before = {number: signal.signal(number, pass_on) for number in _FORWARDED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _terminal_restored(*, enabled: bool) -> Iterator[None]:
    """Take the terminal back once the sandbox that was in its foreground has ended."""
    try:
        yield
    finally:
        if enabled and sys.stdin.isatty():
            _take_terminal(os.getpgrp())


def _take_terminal(group: int) -> None:
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(sys.stdin.fileno(), group)
    signal.signal(signal.SIGTTOU, before)


def _receive_all(receiver: socket.socket) -> bytes:
    chunks = []
    while chunk := receiver.recv(1 << 20):
        chunks.append(chunk)
    return b"".join(chunks)


def _unpack(message: bytes, status: int) -> object:
    if not message:
        code = os.waitstatus_to_exitcode(status)
        number = -code if code < 0 else code - 128
        cause = signal.Signals(number).name if number > 0 else f"exit status {code}"
        raise SandboxKilledError(f"the sandbox was ended from outside ({cause}); nothing of it is left")
    succeeded, payload, text = pickle.loads(message)  # noqa: S301 - our own child wrote it
    if succeeded:
        return payload
    raise payload from (_RemoteTracebackError(text) if text else None)


def _pack(succeeded: bool, payload: object, text: str = "") -> bytes:
    try:
        message = pickle.dumps((succeeded, payload, text))
        pickle.loads(message)  # noqa: S301 - an exception may pickle and yet not come back
    except Exception as error:
        what = f"{type(payload).__name__} cannot leave the sandbox: {error}"
        return pickle.dumps((False, SandboxError(what), text))
    return message


class _Keeper:
    """The processes between the caller and the body; each method named `..main` is one process, and never returns."""

    def __init__(
        self, body: Callable[[], object], sender: socket.socket, lifeline: _Lifeline, *, interactive: bool
    ) -> None:
        self._body = body
        self._sender = sender
        self._lifeline = lifeline
        self._interactive = interactive

    def main(self) -> NoReturn:
        """Make the namespaces, start init in them, pass signals down and the exit status up."""
        try:
            os.setpgid(0, 0)
            if self._interactive and sys.stdin.isatty():
                _take_terminal(os.getpgrp())
            _enter_namespaces()
            # Only now: the kernel forgets the wish to die with the parent when a process gains capabilities.
            self._lifeline.tie()
            to_init = _Lifeline()
            init = os.fork()
        except BaseException as error:
            self._refuse(str(error))
        if init == 0:
            self._init_main(to_init)
        with to_init:
            self._sender.close()
            self._follow_child_to_its_end(init)

    def _init_main(self, lifeline: _Lifeline) -> NoReturn:
        """Process 1: prepare the files, start the body, reap until it has ended; the kernel kills what is left."""
        try:
            lifeline.tie()
            mount_private_view()
            socket.sethostname("testbed")
            main = os.fork()
        except BaseException as error:
            advice = "" if _is_machine_root() else f": {_userns_advice()}"
            self._refuse(f"cannot prepare the sandbox ({error}){advice}")
        if main == 0:
            self._body_main()
        self._sender.close()
        self._follow_child_to_its_end(main)

    def _body_main(self) -> NoReturn:
        global _inside  # noqa: PLW0603 - a fact about this process
        _inside = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, _raise_system_exit)
        signal.signal(signal.SIGHUP, _raise_system_exit)
        status = 0
        try:
            message = _pack(True, self._body())
        except BaseException as error:  # SystemExit and KeyboardInterrupt cross the border too
            text = "" if isinstance(error, SystemExit | KeyboardInterrupt) else traceback.format_exc()
            message, status = _pack(False, error.with_traceback(None), text), 1
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        self._sender.sendall(message)
        os._exit(status)

    def _refuse(self, why: str) -> NoReturn:
        self._sender.sendall(_pack(False, SandboxError(why)))
        os._exit(1)

    def _follow_child_to_its_end(self, child: int) -> NoReturn:
        """Pass signals on (in the foreground, Ctrl-C has reached the body already) and exit as the child did."""
        for number in _FORWARDED:
            signal.signal(number, lambda received, _frame: os.kill(child, received))
        if self._interactive:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        while True:
            pid, status = os.wait()
            if pid == child:
                code = os.waitstatus_to_exitcode(status)
                os._exit(128 - code if code < 0 else code)


def _raise_system_exit(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _enter_namespaces() -> None:
    uid, gid = os.getuid(), os.getgid()
    try:
        if uid == 0:
            unshare(_NAMESPACES)
        else:
            unshare(_NAMESPACES | CLONE_NEWUSER)
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
            Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    except OSError as error:
        raise SandboxError(_why_no_namespaces(error, uid)) from error


def _why_no_namespaces(error: OSError, uid: int) -> str:
    if uid == 0:
        return f"root gets no namespaces here ({error.strerror}): in a container, start it with --privileged"
    return f"no user namespace for an ordinary user here ({error.strerror}): {_userns_advice()}"


def _userns_advice() -> str:
    if _APPARMOR_SWITCH.exists() and _APPARMOR_SWITCH.read_text().strip() == "1":
        return "run with sudo, or allow them with: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    return "run with sudo, or allow them with: sudo sysctl user.max_user_namespaces=10000"


def _is_machine_root() -> bool:
    """Whether user 0 here is user 0 of the machine, that is, no user namespace lies between."""
    return Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]
