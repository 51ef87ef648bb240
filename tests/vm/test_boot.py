import gzip
import lzma
import os
import select
import signal
import struct
import subprocess
from pathlib import Path

import pytest
from minivm import cache, initramfs, job, qemu, system
from minivm.errors import VmError
from minivm.initramfs import File

BOOT = Path(__file__).parent / "boot"

MODULES_DEP = """\
kernel/net/9p/9pnet_virtio.ko.xz: kernel/net/9p/9pnet.ko.xz kernel/drivers/virtio/virtio.ko.xz
kernel/net/9p/9pnet.ko.xz:
kernel/drivers/virtio/virtio.ko.xz:
kernel/drivers/char/virtio-console.ko.xz: kernel/drivers/virtio/virtio.ko.xz
"""


def test_module_follows_its_dependencies() -> None:
    order = initramfs.load_order(["9pnet_virtio"], MODULES_DEP, "")
    assert order[-1] == "kernel/net/9p/9pnet_virtio.ko.xz"
    assert sorted(order[:-1]) == ["kernel/drivers/virtio/virtio.ko.xz", "kernel/net/9p/9pnet.ko.xz"]


def test_shared_dependency_is_loaded_once() -> None:
    order = initramfs.load_order(["9pnet_virtio", "virtio_console"], MODULES_DEP, "")
    assert order.count("kernel/drivers/virtio/virtio.ko.xz") == 1


def test_built_in_module_is_not_loaded() -> None:
    assert initramfs.load_order(["overlay"], MODULES_DEP, "kernel/fs/overlayfs/overlay.ko\n") == []


def test_missing_module_is_refused_by_name() -> None:
    with pytest.raises(VmError, match="no module overlay"):
        initramfs.load_order(["overlay"], MODULES_DEP, "")


def test_compression_is_recognised_by_content() -> None:
    for packed in (lzma.compress(b"module"), gzip.compress(b"module"), b"module"):
        assert initramfs.unpack(packed) == b"module"


def bz_image(payload: bytes, unpacked_size: int) -> bytes:
    """Return a boot sector, one more header sector, 16 bytes of unpacking code, and the payload with its length."""
    image = bytearray(2 * 512 + 16)
    payload += unpacked_size.to_bytes(4, "little")
    image[0x1F1] = 1
    struct.pack_into("<II", image, 0x248, 16, len(payload))
    return bytes(image) + payload + b"after"


def test_kernel_is_found_inside_compressed_image() -> None:
    kernel = b"\x7fELF" + bytes(1000)
    assert initramfs.kernel_inside(bz_image(lzma.compress(kernel), len(kernel))) == kernel


def test_unknown_or_damaged_image_is_left_packed() -> None:
    kernel = b"\x7fELF" + bytes(1000)
    assert initramfs.kernel_inside(bz_image(lzma.compress(kernel), len(kernel) + 1)) is None
    assert initramfs.kernel_inside(bz_image(b"\x02\x21\x4c\x18" + kernel, len(kernel))) is None


def test_busybox_unpacks_what_cpio_packs(tmp_path: Path) -> None:
    files = {"init": File(b"#!/bin/sh\n", 0o755), "a/b/odd": File(b"12345"), "a/empty": File(b"")}
    unpack = ["busybox", "cpio", "-idm"]
    subprocess.run(unpack, input=initramfs.cpio(files), cwd=tmp_path, check=True, capture_output=True)
    assert {path: (tmp_path / path).read_bytes() for path in files} == {
        path: file.content for path, file in files.items()
    }
    assert os.access(tmp_path / "init", os.X_OK)
    assert not os.access(tmp_path / "a/b/odd", os.X_OK)


def wiring(folder: str) -> qemu.Wiring:
    return qemu.Wiring(Path("/kernel"), initramfs=3, console=4, status=5, folder=Path(folder))


def test_only_the_current_folder_is_shared_for_writing() -> None:
    line = qemu.command_line(wiring("/home/me/a,b"), kvm=False, host_clock="tsc")
    shares = [option for option in line if option.startswith("local,")]
    assert any("path=/," in share and "readonly=on" in share for share in shares)
    assert [share for share in shares if "readonly=off" in share] == [
        "local,id=folder,path=/home/me/a,,b,security_model=none,multidevs=remap,readonly=off"
    ]


def test_guest_trusts_tsc_only_where_host_does() -> None:
    assert "tsc=reliable" in qemu.kernel_parameters(kvm=False, host_clock="tsc")
    assert "tsc=reliable" not in qemu.kernel_parameters(kvm=False, host_clock="hpet")
    assert "tsc=reliable" not in qemu.kernel_parameters(kvm=True, host_clock="tsc")


def test_command_keeps_arguments_and_selected_variables() -> None:
    arguments = ["printf", "%s\\n", "two words", "it's", "$HOME", ""]
    variables = {"TESTBED_X": "a b", "PYTEST_ADDOPTS": "-q", "SECRET": "s", "HOME": "/home/me"}
    script = job.command_script(arguments, Path("/"), variables)
    assert output_of(["sh", "-c", script]) == "two words\nit's\n$HOME\n\n"
    environment = output_of(["sh", "-c", job.command_script(["env"], Path("/"), variables)]).splitlines()
    assert {"TESTBED_X=a b", "PYTEST_ADDOPTS=-q", "HOME=/root"} <= set(environment)
    assert not [line for line in environment if line.startswith("SECRET=")]


def test_system_name_comes_from_os_release() -> None:
    assert system.name_of_system('NAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\n') == "ubuntu-24.04"


def test_unknown_system_is_refused_with_alternatives() -> None:
    with pytest.raises(VmError, match=r"fedora-40.*use one of debian-12"):
        system.distribution("fedora-40")


def test_missing_programs_are_named_by_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "PACKAGE_OF", {"no-such-program": "its-package"})
    monkeypatch.setattr(system, "BUSYBOX_IS_STATIC", Path("/nonexistent"))
    with pytest.raises(VmError, match="apt-get install busybox-static its-package"):
        system.require_tools()


def test_incomplete_kernel_is_not_used(tmp_path: Path) -> None:
    for release in ("6.1", "6.2"):
        modules = tmp_path / release / "usr/lib/modules" / release
        modules.mkdir(parents=True)
        (modules / "modules.dep").touch()
    (tmp_path / "6.1/kernel").touch()
    found = cache.newest(tmp_path)
    assert found is not None
    assert found.folder.name == "6.1"


def test_invalid_timeouts_are_refused() -> None:
    for value in ("0", "-1", "soon", "inf", "nan"):
        done = subprocess.run([BOOT, "--timeout", value, "true"], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert f"invalid seconds value: '{value}'" in done.stderr


GUEST_SCRIPT = """
echo "in $PWD as $(id -u)"
echo complaint >&2
head -c 3000000 /dev/zero >written
echo changed >/etc/testbed-vm-was-here && cat /etc/testbed-vm-was-here
ip link show lo | grep -o LOWER_UP
modprobe openvswitch && unshare --net tc qdisc add dev lo root netem delay 1ms && echo netem
sleep 1000 &
exit 7
"""


@pytest.mark.setup
def test_guest_returns_output_status_and_files(tmp_path: Path) -> None:
    done = subprocess.run(
        [BOOT, "--timeout", "120", "sh", "-c", GUEST_SCRIPT], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == [f"in {tmp_path} as 0", "complaint", "changed", "LOWER_UP", "netem"]
    assert done.returncode == 7
    assert (tmp_path / "written").read_bytes() == bytes(3_000_000)
    assert not Path("/etc/testbed-vm-was-here").exists()


@pytest.mark.setup
def test_hanging_command_is_stopped(tmp_path: Path) -> None:
    command = [str(BOOT), "--timeout", "10", "sh", "-c", "echo waiting; sleep 1000"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 124
    assert done.stdout == "waiting\n"
    assert "time is up (--timeout SECONDS allows more)" in done.stderr


@pytest.mark.setup
def test_killing_boot_ends_emulator(tmp_path: Path) -> None:
    command = [str(BOOT), "sh", "-c", "echo up; sleep 1000"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as boot:
        assert boot.stdout is not None
        assert boot.stdout.readline() == "up\n"
        (emulator,) = Path(f"/proc/{boot.pid}/task/{boot.pid}/children").read_text().split()
        ended = os.pidfd_open(int(emulator))
        boot.send_signal(signal.SIGKILL)
    assert has_ended(ended, seconds=10)


def has_ended(process: int, seconds: float) -> bool:
    """Wait for the end of a pidfd's process, which makes the pidfd readable."""
    try:
        return bool(select.select([process], [], [], seconds)[0])
    finally:
        os.close(process)


def output_of(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
