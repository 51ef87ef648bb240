"""Run a function in a sandbox, and return its result or raise its exception."""

import os
import pickle
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import BinaryIO, NoReturn, TypeAlias, TypeVar

from testbed.errors import ExplainedError
from testbed.network.kernel.syscalls import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    die_with_parent,
    unshare,
)
from testbed.network.sandbox.filesystem import mount_private_view

T = TypeVar("T")

_NAMESPACES = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS
_APPARMOR_SWITCH = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_BLOCKED = (*_FORWARDED, signal.SIGCHLD)
_FAILED = 70
"""The exit status of keeper or init when it fails itself."""
_Mask: TypeAlias = set[int | signal.Signals]

_body: "_Keeper | None" = None
"""Who can end this process with an outcome, if it is the body of a sandbox."""


class SandboxError(ExplainedError):
    """The kernel refused a sandbox; the message says what to do."""


class SandboxKilledError(SandboxError):
    """The sandbox ended before its body returned."""


class _RemoteTracebackError(Exception):
    """The cause of an exception from the sandbox: shows where it was raised."""

    def __init__(self, text: str) -> None:
        super().__init__(f"\n{text}")


def inside_sandbox() -> bool:
    """Return whether this process runs in a sandbox made by `run`."""
    return _body is not None


def leave(error: BaseException) -> NoReturn:
    """In the body: raise an error from `run` at once. Nothing is unwound; the kernel removes processes and network."""
    if _body is None:
        raise error
    _body.fail(error)


def run(body: Callable[[], T], *, interactive: bool = False) -> T:
    """Call `body` in a new sandbox, and return its result or raise its exception.

    The result must be picklable. SIGINT, SIGTERM and SIGHUP sent to the caller are forwarded to the body, where SIGINT
    raises KeyboardInterrupt and the others SystemExit. With `interactive` the body owns the terminal: it may read from
    it, and Ctrl-C reaches it alone. The sandbox ends with the calling thread.
    """
    if threading.active_count() > 1:
        raise SandboxError("a sandbox starts by fork, which is only safe in a process without other threads")
    _flush_output()
    lifeline = _Lifeline()
    with (
        os.fdopen(os.memfd_create("outcome"), "w+b") as outcome,
        _terminal_restored(enabled=interactive),
        _signals_blocked() as mask,
    ):
        keeper = os.fork()
        if keeper == 0:
            _Keeper(body, outcome, lifeline, mask, interactive=interactive).main()
        with lifeline, _killed_on_error(keeper):  # return or raise only when nothing of the sandbox is left
            status = _follow(keeper, _FORWARDED)
        return _unpack(outcome, status)  # type: ignore[return-value]


class _Lifeline:
    """By this pipe the parent learns that all processes on the child's side ended, and the child that it is alone."""

    def __init__(self) -> None:
        self._child_end, self._parent_end = os.pipe()

    def tie(self) -> None:
        """In the child: die with the parent, even if it died before this call."""
        os.close(self._parent_end)
        die_with_parent()
        os.set_blocking(self._child_end, False)
        with suppress(BlockingIOError):
            os.read(self._child_end, 1)
            os._exit(1)

    def __enter__(self) -> None:
        """In the parent: keep the parent's end open, and no other."""
        os.close(self._child_end)

    def __exit__(self, *_exc: object) -> None:
        """Wait until every process on the child's side has ended."""
        poller = select.poll()
        poller.register(self._parent_end, 0)
        poller.poll()
        os.close(self._parent_end)


@contextmanager
def _signals_blocked() -> Iterator[_Mask]:
    """Block signals until `_follow` takes them, so that none is lost."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _BLOCKED)
    try:
        yield mask
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextmanager
def _killed_on_error(child: int) -> Iterator[None]:
    try:
        yield
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise


def _follow(child: int, passed_on: Collection[int], *, reaping: bool = False) -> int:
    """Forward signals to a child until it ends, and return its wait status; with `reaping`, reap orphans too."""
    while True:
        for pid, status in _ended(-1 if reaping else child):
            if pid == child:
                return status
        number = signal.sigwaitinfo(_BLOCKED).si_signo
        if number in passed_on:
            os.kill(child, number)


def _ended(which: int) -> Iterator[tuple[int, int]]:
    while (ended := os.waitpid(which, os.WNOHANG)) != (0, 0):
        yield ended


@contextmanager
def _terminal_restored(*, enabled: bool) -> Iterator[None]:
    """Take the terminal back from a sandbox that was in its foreground."""
    try:
        yield
    finally:
        if enabled and sys.stdin.isatty():
            _take_terminal(os.getpgrp())


def _take_terminal(group: int) -> None:
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(sys.stdin.fileno(), group)
    signal.signal(signal.SIGTTOU, before)


def _unpack(outcome: BinaryIO, status: int) -> object:
    outcome.seek(0)
    message = outcome.read()
    code = os.waitstatus_to_exitcode(status)
    if not message or code not in {0, 1}:  # with any other status, half a message may have been written
        number = -code if code < 0 else code - 128
        cause = signal.Signals(number).name if number > 0 else f"exit status {code}"
        raise SandboxKilledError(f"the sandbox was killed from outside ({cause}); its network and processes are gone")
    succeeded, payload, text = pickle.loads(message)  # noqa: S301 - our own child wrote it
    if succeeded:
        return payload
    raise payload from (_RemoteTracebackError(text) if text else None)


def _pack(succeeded: bool, payload: object, text: str = "") -> bytes:
    try:
        message = pickle.dumps((succeeded, payload, text))
        pickle.loads(message)  # noqa: S301 - some exceptions can be pickled but not unpickled
    except Exception as error:
        what = f"{type(payload).__name__} cannot leave the sandbox: {error}"
        return pickle.dumps((False, SandboxError(what), text))
    return message


def _call(body: Callable[[], object], mask: _Mask) -> tuple[bool, bytes]:
    """Call the body with signals unblocked; return whether it returned, and its packed result or exception."""
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        result = body()
        _flush_output()
        return True, _pack(True, result)
    except BaseException as error:  # SystemExit and KeyboardInterrupt are returned too
        text = "" if isinstance(error, SystemExit | KeyboardInterrupt) else traceback.format_exc()
        with suppress(OSError):
            _flush_output()
        return False, _pack(False, error.with_traceback(None), text)
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, _BLOCKED)


def _flush_output() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # None if the descriptor was closed before Python started
            stream.flush()


class _Keeper:
    """The processes between caller and body; each method named `..main` runs one process, and never returns."""

    def __init__(
        self,
        body: Callable[[], object],
        outcome: BinaryIO,
        lifeline: _Lifeline,
        mask: _Mask,
        *,
        interactive: bool,
    ) -> None:
        self._uid = os.getuid()
        self._body = body
        self._outcome = outcome
        self._lifeline = lifeline
        self._mask = mask
        self._interactive = interactive

    def main(self) -> NoReturn:
        """Run the keeper; its children, init and the body, do not leave this method either."""
        try:
            self._keeper_main()
        finally:  # whatever is raised, only the caller may continue with the caller's code
            os._exit(_FAILED)

    def _keeper_main(self) -> NoReturn:
        """Create the namespaces, start init in them, forward signals to it and its exit status to the caller."""
        try:
            self._leave_foreground()
            _enter_namespaces()
            # Only now: the kernel drops PR_SET_PDEATHSIG when a process gains capabilities.
            self._lifeline.tie()
            to_init = _Lifeline()
            init = os.fork()
        except BaseException as error:
            self._refuse(str(error))
        if init == 0:
            self._init_main(to_init)
        with to_init:
            self._follow_child_to_its_end(init)

    def _leave_foreground(self) -> None:
        """Let only the caller, which forwards them, or only the body receive the terminal's signals."""
        if not self._interactive:
            os.setsid()
            return
        os.setpgid(0, 0)
        # A stopped sandbox would keep the terminal from the shell that could continue it.
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        if sys.stdin.isatty():
            _take_terminal(os.getpgrp())

    def _init_main(self, lifeline: _Lifeline) -> NoReturn:
        """Run process 1: mount files, start the body, reap until it ends; the kernel then kills the rest."""
        try:
            lifeline.tie()
            mount_private_view()
            socket.sethostname("testbed")
            main = os.fork()
        except BaseException as error:
            self._refuse(f"cannot prepare the sandbox ({error}): {_advice(self._uid)}")
        if main == 0:
            self._body_main()
        self._follow_child_to_its_end(main, reaping=True)

    def _body_main(self) -> NoReturn:
        global _body  # noqa: PLW0603 - true of the whole process
        _body = self
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, _raise_system_exit)
        signal.signal(signal.SIGHUP, _raise_system_exit)
        succeeded, message = _call(self._body, self._mask)
        self._tell(message)
        os._exit(0 if succeeded else 1)

    def _refuse(self, why: str) -> NoReturn:
        self.fail(SandboxError(why))

    def fail(self, error: BaseException) -> NoReturn:
        """End this process, and the sandbox with an error."""
        self._tell(_pack(False, error))
        os._exit(1)

    def _tell(self, message: bytes) -> None:
        self._outcome.write(message)
        self._outcome.flush()

    def _follow_child_to_its_end(self, child: int, *, reaping: bool = False) -> NoReturn:
        """Exit with the child's status. In the foreground, Ctrl-C already reaches the body itself."""
        passed_on = {*_FORWARDED} - ({signal.SIGINT} if self._interactive else set())
        code = os.waitstatus_to_exitcode(_follow(child, passed_on, reaping=reaping))
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
        return f"root cannot create namespaces here ({error.strerror}): {_advice(uid)}"
    return f"ordinary users cannot create namespaces here ({error.strerror}): {_advice(uid)}"


def _advice(uid: int) -> str:
    if uid == 0:
        return "start the container with --privileged (docs/install.md lists the privileges that it needs)"
    if _APPARMOR_SWITCH.exists() and _APPARMOR_SWITCH.read_text().strip() == "1":
        return "run with sudo, or allow them with: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    return "run with sudo, or allow them with: sudo sysctl user.max_user_namespaces=10000"


def is_machine_root() -> bool:
    """Return whether user 0 is root of the machine, and not only of a user namespace."""
    return Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]
