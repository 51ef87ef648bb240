"""Start a guest, forward its output, and make sure that it ends."""

import os
import re
import resource
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from minivm.cache import cached_kernel
from minivm.errors import CommandTimeoutError, VmError
from minivm.initramfs import cpio
from minivm.job import files_of_guest
from minivm.qemu import Wiring, command_line
from minivm.system import require_tools

KVM = Path("/dev/kvm")
HOST_CLOCK = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")

# A guest on KVM is up in a second. Where KVM exists but cannot run guests (some nested machines), it dies or hangs.
KVM_PATIENCE = 15.0

# An emulated guest takes 3 seconds, and much longer on a busy machine.
EMULATION_PATIENCE = 120.0

# Reading what a killed emulator left in the pipe takes far less.
DRAIN_PATIENCE = 10.0

CHUNK = 1 << 16
LAST_LINES = 40


@dataclass(frozen=True)
class Launch:
    """What two attempts to start a guest have in common."""

    kernel: Path
    initramfs: bytes
    folder: Path


@dataclass
class Guest:
    """A running machine and the status messages it has sent so far."""

    process: subprocess.Popen[bytes]
    ports: selectors.BaseSelector
    console: IO[bytes]
    errors: IO[bytes]
    status: bytearray = field(default_factory=bytearray)

    @property
    def is_up(self) -> bool:
        return self.status.startswith(b"up\n")

    @property
    def exit_status(self) -> int | None:
        match = re.search(rb"exit (\d+)\n", self.status)
        return int(match[1]) if match else None

    @property
    def last_messages(self) -> str:
        """The end of the emulator's and the kernel's messages, which explain a failure."""
        lines = [*tail(self.errors), *tail(self.console)]
        return "".join(f"\n  {line}" for line in lines or ["(none)"])


def run(command: list[str], folder: Path, timeout: float) -> int:
    """Run the command in a guest and return its exit status; its output goes to standard output at once.

    Only a guest that never came up on KVM is tried a second time, so a command runs once.
    """
    if folder == Path("/"):
        raise VmError("the current folder is shared for writing, and this is /: go to the project's folder")
    require_tools()
    kernel = cached_kernel()
    files = files_of_guest(kernel, command, folder, os.environ)
    launch = Launch(kernel.image, cpio(files), folder)
    if os.access(KVM, os.R_OK | os.W_OK):
        with started(launch, kvm=True) as guest:
            if came_up(guest, KVM_PATIENCE):
                return status_of_command(guest, timeout)
    with started(launch, kvm=False) as guest:
        if not came_up(guest, EMULATION_PATIENCE):
            raise VmError(f"the virtual machine did not start; its last messages:{guest.last_messages}")
        return status_of_command(guest, timeout)


@contextmanager
def started(launch: Launch, *, kvm: bool) -> Iterator[Guest]:
    """Run a guest as long as the block. Its files have no names, so that nothing is left if this process is killed."""
    with ExitStack() as stack:
        initramfs, console, errors = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(3))
        initramfs.write(launch.initramfs)
        initramfs.flush()
        status_read, status_write = os.pipe()
        stack.callback(os.close, status_read)
        wiring = Wiring(launch.kernel, initramfs.fileno(), console.fileno(), status_write, launch.folder)
        try:
            process = stack.enter_context(start(wiring, errors, kvm=kvm))
        finally:
            os.close(status_write)
        stack.callback(process.kill)
        ports = stack.enter_context(selectors.DefaultSelector())
        ports.register(output_of(process), selectors.EVENT_READ, forward)
        guest = Guest(process, ports, console, errors)
        ports.register(status_read, selectors.EVENT_READ, guest.status.extend)
        yield guest


def start(wiring: Wiring, errors: IO[bytes], *, kvm: bool) -> subprocess.Popen[bytes]:
    # Where KVM does not work the emulator aborts; it must not leave a core file in the folder.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    host_clock = HOST_CLOCK.read_text().strip() if HOST_CLOCK.exists() else "unknown"
    return subprocess.Popen(
        command_line(wiring, kvm=kvm, host_clock=host_clock),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        pass_fds=(wiring.initramfs, wiring.console, wiring.status),
    )


def output_of(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout is not None
    return process.stdout


def forward(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def came_up(guest: Guest, patience: float) -> bool:
    return listen(guest, lambda: guest.is_up, patience)


def status_of_command(guest: Guest, timeout: float) -> int:
    """Wait for the command. The guest flushes its files and its output before it sends the exit status."""
    deadline = time.monotonic() + timeout
    listen(guest, lambda: guest.exit_status is not None, timeout)
    is_late = time.monotonic() >= deadline
    guest.process.kill()
    listen(guest, lambda: False, DRAIN_PATIENCE)
    if guest.exit_status is not None:
        return guest.exit_status
    if is_late:
        raise CommandTimeoutError(
            f"time is up (--timeout SECONDS allows more); the kernel's last messages:{guest.last_messages}"
        )
    raise VmError(f"the virtual machine died under the command; its last messages:{guest.last_messages}")


def listen(guest: Guest, is_enough: Callable[[], bool], patience: float) -> bool:
    """Receive from the guest until `is_enough`; return False when the guest or the time ended first."""
    deadline = time.monotonic() + patience
    while not is_enough() and guest.ports.get_map():
        ready = guest.ports.select(max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        for key, _ in ready:
            data = os.read(key.fd, CHUNK)
            if data:
                key.data(data)
            else:
                guest.ports.unregister(key.fileobj)
    return is_enough()


def tail(file: IO[bytes]) -> list[str]:
    file.seek(0)
    lines = file.read().decode(errors="replace").splitlines()
    return [line for line in lines if line.strip()][-LAST_LINES:]
