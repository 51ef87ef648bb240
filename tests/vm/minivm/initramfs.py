"""The guest's first file system as bytes: the modules it needs, their order, and the cpio archive."""

import lzma
import stat
import struct
import subprocess
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from minivm.errors import VmError

XZ_MAGIC = b"\xfd7zXZ\0"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
GZIP_MAGIC = b"\x1f\x8b"
GZIP_WINDOW = 16 + zlib.MAX_WBITS
COMPRESSIONS = ("", ".xz", ".zst", ".gz")


@dataclass(frozen=True)
class File:
    """One regular file of an archive."""

    content: bytes
    mode: int = 0o644


def load_order(wanted: Iterable[str], modules_dep: str, builtin: str) -> list[str]:
    """Return the files of the wanted modules and of all their dependencies, each after its own dependencies."""
    needs = parse_modules_dep(modules_dep)
    path_of = {module_name(path): path for path in needs}
    inside = {module_name(path) for path in builtin.split()}
    order: dict[str, None] = {}

    def add(path: str) -> None:
        for need in needs[path]:
            if need not in order:
                add(need)
        order[path] = None

    for name in wanted:
        if name in path_of:
            add(path_of[name])
        elif name not in inside:
            raise VmError(f"this kernel has no module {name}: choose another in minivm/system.py")
    return list(order)


def parse_modules_dep(text: str) -> dict[str, list[str]]:
    """Read depmod's table: module file -> the files it needs."""
    lines = (line.partition(":") for line in text.splitlines())
    return {path: needs.split() for path, _, needs in lines}


def module_name(path: str) -> str:
    """Return 9pnet_virtio for `kernel/net/9p/9pnet_virtio.ko.xz`; hyphens and underscores are equivalent."""
    return PurePosixPath(path).name.partition(".ko")[0].replace("-", "_")


def unpack(packed: bytes) -> bytes:
    """Decompress content that begins with a known magic number; return other content unchanged."""
    if packed.startswith(XZ_MAGIC):
        return lzma.LZMADecompressor().decompress(packed)
    if packed.startswith(GZIP_MAGIC):
        return zlib.decompressobj(GZIP_WINDOW).decompress(packed)
    if packed.startswith(ZSTD_MAGIC):
        return unpack_zstd(packed)
    return packed


def unpack_zstd(packed: bytes) -> bytes:
    try:
        return subprocess.run(["zstd", "-dcq"], input=packed, capture_output=True, check=True).stdout
    except FileNotFoundError:
        raise VmError("this kernel is packed by zstd; as root: apt-get install zstd") from None


def kernel_inside(bz_image: bytes) -> bytes | None:
    """Return the ELF kernel inside a bzImage, or None when its compression is unknown.

    An emulated processor would take many seconds to unpack it; this machine takes one. The last four bytes of the
    payload are its unpacked length.
    """
    header_sectors = bz_image[0x1F1]
    offset, length = struct.unpack_from("<II", bz_image, 0x248)
    start = (header_sectors + 1) * 512 + offset
    payload, size = bz_image[start : start + length - 4], bz_image[start + length - 4 : start + length]
    kernel = unpack(payload)
    is_whole = kernel.startswith(b"\x7fELF") and len(kernel) == int.from_bytes(size, "little")
    return kernel if is_whole else None


def cpio(files: Mapping[str, File]) -> bytes:
    """Return a `newc` archive of these files and of the folders above them."""
    folders = {str(parent) for path in files for parent in PurePosixPath(path).parents} - {"."}
    records = [record(path, stat.S_IFDIR | 0o755, b"") for path in sorted(folders)]
    records += [record(path, stat.S_IFREG | file.mode, file.content) for path, file in files.items()]
    return b"".join([*records, record("TRAILER!!!", 0, b"")])


def record(path: str, mode: int, content: bytes) -> bytes:
    """Return one archive member: header with hexadecimal fields, name and content, each padded to four bytes."""
    name = path.encode() + b"\0"
    inode, owner, group, links, time, device = 0, 0, 0, 1, 0, 0
    fields = [inode, mode, owner, group, links, time, len(content), *[device] * 4, len(name), 0]
    header = b"070701" + b"".join(b"%08x" % field for field in fields)
    return padded(header + name) + padded(content)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
