"""One guest's task, as the files of its first file system."""

import fnmatch
import shlex
from collections.abc import Mapping
from pathlib import Path

from minivm.cache import Kernel
from minivm.initramfs import File, load_order, unpack
from minivm.system import BUSYBOX

GUEST_SCRIPTS = Path(__file__).parent / "guest"
BOOT_MODULES = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay")

PASSED_ON = ("CI", "COLUMNS", "LANG", "LC_ALL", "TERM", "TESTBED_*", "PYTEST_*", "HYPOTHESIS_*")
ALWAYS = {
    "HOME": "/root",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}


def files_of_guest(kernel: Kernel, command: list[str], folder: Path, environment: Mapping[str, str]) -> dict[str, File]:
    """Return all files of the guest's first file system: path -> file."""
    settings = settings_script(folder, kernel.all_modules)
    return {
        "init": File((GUEST_SCRIPTS / "init").read_bytes(), 0o755),
        "bin/busybox": File(BUSYBOX.read_bytes(), 0o755),
        "vm/main": File((GUEST_SCRIPTS / "main").read_bytes()),
        "vm/settings": File(settings.encode()),
        "vm/command": File(command_script(command, folder, environment).encode(errors="surrogateescape")),
        **module_files(kernel.modules),
    }


def module_files(modules: Path) -> dict[str, File]:
    """Return the modules that a guest needs before it sees the machine's files, and a file with their order."""
    builtin = (modules / "modules.builtin").read_text()
    order = load_order(BOOT_MODULES, (modules / "modules.dep").read_text(), builtin)
    unpacked = {Path(path).name.partition(".ko")[0]: unpack((modules / path).read_bytes()) for path in order}
    listing = "".join(f"{name}\n" for name in unpacked)
    return {"modules/order": File(listing.encode())} | {
        f"modules/{name}": File(content) for name, content in unpacked.items()
    }


def settings_script(shared_folder: Path, modules_folder: Path) -> str:
    return f"shared_folder={shlex.quote(str(shared_folder))}\nmodules_folder={shlex.quote(str(modules_folder))}\n"


def command_script(command: list[str], folder: Path, environment: Mapping[str, str]) -> str:
    """Return the command as a shell script that starts with an empty environment."""
    variables = passed_on(environment) | ALWAYS
    assignments = [f"{name}={value}" for name, value in variables.items()]
    return f"cd {shlex.quote(str(folder))} && exec env -i {shlex.join(assignments)} {shlex.join(command)}\n"


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that tests use; all others belong to the machine outside."""
    return {
        name: value
        for name, value in environment.items()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in PASSED_ON)
    }
