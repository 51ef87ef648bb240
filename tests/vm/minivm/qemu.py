"""The command lines that start a guest."""

from dataclasses import dataclass
from pathlib import Path

MEMORY_MB = 3072
PROCESSORS = 2
STDOUT = 1

# Emulating these costs time and gains nothing: a fifth page-table level, protections that flush the translation
# cache, string instructions that run byte by byte.
TCG_PROCESSOR = "max,-la57,-smap,-smep,-pku,-pks,-erms,-fsrm"

QUIET_AND_FAST = "console=ttyS0 quiet loglevel=4 panic=-1 oops=panic mitigations=off nowatchdog audit=0"

# Reading the emulated HPET costs a trip out of the guest; the emulated TSC is this machine's own.
TRUST_TSC = "tsc=reliable clocksource=tsc"


@dataclass(frozen=True)
class Wiring:
    """The ends that a guest needs on this machine's side; numbers are open file descriptors."""

    kernel: Path
    initramfs: int
    console: int
    status: int
    folder: Path


def command_line(wiring: Wiring, *, kvm: bool, host_clock: str) -> list[str]:
    """Starts one guest. It dies with the process that starts it; its standard output is the command's."""
    return [
        *("setpriv", "--pdeathsig", "KILL", "--", "qemu-system-x86_64"),
        *machine(kvm=kvm),
        *("-kernel", str(wiring.kernel), "-initrd", f"/proc/self/fd/{wiring.initramfs}"),
        *("-append", kernel_parameters(kvm=kvm, host_clock=host_clock)),
        *("-serial", f"file:/proc/self/fd/{wiring.console}"),
        *share("root", Path("/"), "readonly=on"),
        *share("folder", wiring.folder, "readonly=off"),
        *("-device", "virtio-serial-pci"),
        *port(1, STDOUT),
        *port(2, wiring.status),
    ]


def machine(*, kvm: bool) -> list[str]:
    accelerator = ["-accel", "kvm", "-cpu", "host"] if kvm else ["-accel", "tcg,thread=multi", "-cpu", TCG_PROCESSOR]
    bare = ["-machine", "q35,i8042=off,smm=off,vmport=off", "-nodefaults", "-display", "none", "-nic", "none"]
    return [*bare, *accelerator, "-smp", str(PROCESSORS), "-m", str(MEMORY_MB), "-no-reboot"]


def kernel_parameters(*, kvm: bool, host_clock: str) -> str:
    """`host_clock` is the clock source of this machine: where that is not the TSC, the guest shall not trust it."""
    is_tsc_steady = host_clock == "tsc" and not kvm
    return f"{QUIET_AND_FAST} {TRUST_TSC}" if is_tsc_steady else QUIET_AND_FAST


def share(tag: str, path: Path, access: str) -> list[str]:
    """A folder for the guest. Owners are kept where this process may, `remap` keeps inode numbers apart."""
    escaped = str(path).replace(",", ",,")
    options = f"local,id={tag},path={escaped},security_model=none,multidevs=remap,{access}"
    return ["-fsdev", options, "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]


def port(number: int, descriptor: int) -> list[str]:
    """A byte stream out of the guest, which sees it as /dev/vport*pNUMBER.

    Not a `stdio` backend: that one takes the end of its input for a hang-up, and the guest's writes then block.
    """
    chardev = f"file,id=port{number},path=/proc/self/fd/{descriptor}"
    return ["-chardev", chardev, "-device", f"virtserialport,nr={number},chardev=port{number}"]
