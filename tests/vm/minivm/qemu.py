"""The command lines that start a guest."""

from dataclasses import dataclass
from pathlib import Path

MEMORY_MB = 3072
PROCESSORS = 2
STDOUT = 1

# Leave out features whose emulation costs time for nothing: a fifth page-table level, protections that flush the
# translation cache, string instructions that run byte by byte.
TCG_PROCESSOR = "max,-la57,-smap,-smep,-pku,-pks,-erms,-fsrm"

QUIET_AND_FAST = "console=ttyS0 quiet loglevel=4 panic=-1 oops=panic mitigations=off nowatchdog audit=0"

# Reading the emulated HPET leaves the guest, which is slow; the emulated TSC is this machine's own.
TRUST_TSC = "tsc=reliable clocksource=tsc"


@dataclass(frozen=True)
class Wiring:
    """This machine's ends of a guest's connections; numbers are open file descriptors."""

    kernel: Path
    initramfs: int
    console: int
    status: int
    folder: Path


def command_line(wiring: Wiring, *, kvm: bool, host_clock: str) -> list[str]:
    """Return the command that starts a guest. It dies with its parent; its standard output is the command's."""
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
    """Return the kernel parameters. Where this machine's clock source is not the TSC, the guest must not trust it."""
    is_tsc_steady = host_clock == "tsc" and not kvm
    return f"{QUIET_AND_FAST} {TRUST_TSC}" if is_tsc_steady else QUIET_AND_FAST


def share(tag: str, path: Path, access: str) -> list[str]:
    """Return options that share a folder. Owners are kept where permitted; `remap` makes inode numbers unique."""
    escaped = str(path).replace(",", ",,")
    options = f"local,id={tag},path={escaped},security_model=none,multidevs=remap,{access}"
    return ["-fsdev", options, "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]


def port(number: int, descriptor: int) -> list[str]:
    """Return options for a byte stream out of the guest, which sees it as /dev/vport*pNUMBER.

    A `stdio` backend would take the end of its input for a hang-up, and the guest's writes would block.
    """
    chardev = f"file,id=port{number},path=/proc/self/fd/{descriptor}"
    return ["-chardev", chardev, "-device", f"virtserialport,nr={number},chardev=port{number}"]
