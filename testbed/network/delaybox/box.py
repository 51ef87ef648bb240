"""A running delay box: the helper process, its TUN device, and its counters."""

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from testbed.network.delaybox.errors import DelayBoxError
from testbed.network.delaybox.statistics import DelayBoxStats
from testbed.network.delaybox.table import Table, impairments, table_text
from testbed.network.delaybox.tun import opened_tun

PROGRAM = Path(sys.prefix) / "bin" / "testbed-delaybox"
MEMORY_BYTES = 256 << 20
PATIENCE_S = 10.0
"""How long the helper may take to answer; usually a millisecond."""


class DelayBox:
    """Delays, jitters and loses packets routed into its TUN device; as a context manager it stops at the end."""

    def __init__(self, interface: str, helper: subprocess.Popen[bytes]) -> None:
        self.interface = interface
        self._helper = helper
        self._last: DelayBoxStats | None = None

    @classmethod
    def start(
        cls,
        table: Table,
        seed: int,
        *,
        interface: str = "delay0",
        memory_bytes: int = MEMORY_BYTES,
        program: Path = PROGRAM,
    ) -> Self:
        """Create the device in the calling thread's network namespace, and return once packets are read from it.

        The box holds at most `memory_bytes` of packets, drops others, and ends with this process.
        """
        whole_segments = any(impairment.is_random for impairment in impairments(table))
        with opened_tun(interface, whole_segments=whole_segments) as tun:
            box = cls(interface, _spawn(program, tun, seed, memory_bytes))
        try:
            box._hand_over(table)
        except BaseException:
            box.kill()
            raise
        return box

    @property
    def pid(self) -> int:
        """The helper's process."""
        return self._helper.pid

    def stats(self) -> DelayBoxStats:
        """Return the current counters, or the last ones if the box is stopped."""
        if self._last is None:
            self._signal(signal.SIGUSR1)
            return DelayBoxStats.from_line(self._answer())
        return self._last

    def stop(self) -> DelayBoxStats:
        """Stop the box and its device, drop the packets that it holds, and return its last counters."""
        if self._last is None:
            try:
                self._signal(signal.SIGTERM)
                self._last = DelayBoxStats.from_line(self._answer())
            finally:
                self.kill()
        return self._last

    def kill(self) -> None:
        """Stop the box without reading its counters."""
        self._helper.kill()
        self._helper.wait()
        for pipe in (self._helper.stdin, self._helper.stdout, self._helper.stderr):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.stop()
        else:
            self.kill()

    def _hand_over(self, table: Table) -> None:
        try:
            with closing(_pipe(self._helper.stdin)) as stdin:
                stdin.write(table_text(table).encode())
        except BrokenPipeError:
            raise self._ended() from None
        if (line := self._answer()) != "ready":
            raise DelayBoxError(f"the delay box answered {line!r} instead of `ready`; build it again")

    def _signal(self, number: signal.Signals) -> None:
        if self._helper.poll() is not None:
            raise self._ended()
        self._helper.send_signal(number)

    def _answer(self) -> str:
        """Return the helper's next line; it only answers, and never writes unasked."""
        stdout = _pipe(self._helper.stdout)
        deadline = time.monotonic() + PATIENCE_S
        line = b""
        while not line.endswith(b"\n"):
            readable, _, _ = select.select([stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not readable:
                raise DelayBoxError(f"the delay box (process {self.pid}) has not answered for {PATIENCE_S:.0f} s")
            if not (part := os.read(stdout.fileno(), 65536)):
                raise self._ended()
            line += part
        return line.decode().rstrip("\n")

    def _ended(self) -> DelayBoxError:
        """Return why the helper ended, in its own words if it left any."""
        words = _pipe(self._helper.stderr).read().decode(errors="replace").strip()
        status = self._helper.wait()
        return DelayBoxError(words or f"the delay box has ended (status {status}); its packets are lost")


def _spawn(program: Path, tun: int, seed: int, memory_bytes: int) -> subprocess.Popen[bytes]:
    """Start the helper, which watches this process by a pidfd: PR_SET_PDEATHSIG would watch a thread."""
    parent = os.pidfd_open(os.getpid())
    options = {"--tun": tun, "--parent": parent, "--seed": seed, "--memory": memory_bytes}
    words = [str(program), *(str(word) for option in options.items() for word in option)]
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            pass_fds=(tun, parent),
        )
    except OSError as error:
        message = f"{program} cannot be started ({error.strerror}); set the testbed up again, which compiles it"
        raise DelayBoxError(message) from error
    finally:
        os.close(parent)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None or pipe.closed:
        raise DelayBoxError("the delay box is stopped")
    return pipe
