"""Copies of the clone, and a fresh machine to set up."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
NOT_IN_A_FRESH_CLONE = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "*.egg-info")
NOT_IN_ITS_ROOT = {"build", "dist", "runs", "site"}

IN_MEMORY = "/dev/shm"  # noqa: S108
ON_DISK = "/var/tmp"  # noqa: S108
# The fresh machine fills less than half of this, with three virtual environments.
MACHINE_BYTES = 6 << 30

# How this machine reaches its package servers; the fresh machine reaches them in the same way.
CARRIED_FILES = ("/etc/hosts", "/etc/pip.conf", "/etc/resolv.conf")
CARRIED_FOLDERS = ("/etc/apt", "/etc/ssl/certs", "/usr/share/keyrings")
CARRIED_VARIABLES = re.compile(r"PIP_.*|.*_proxy|SSL_CERT_.*|(REQUESTS|CURL)_CA_BUNDLE", re.IGNORECASE)

# A private mount of the machine's root, on which device nodes work, whatever the file system allows elsewhere.
OWN_ROOT = """
set -e
root=$1; shift
mount --bind "$root" "$root"
mount -o remount,bind,dev,exec,suid "$root"
"""

INSTALL = f"""{OWN_ROOT}
exec "$@"
"""

# Programs inside cannot change this machine's kernel settings.
ENTER = f"""{OWN_ROOT}
binds=$1; shift
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount --rbind /dev "$root/dev"
for path in $binds; do mount --rbind "$path" "$root$path"; done
exec chroot "$root" "$@"
"""


def copy_clone(to: Path) -> Path:
    """Copy the working tree as a fresh clone would have it."""
    shutil.copytree(REPOSITORY, to, ignore=not_in_a_fresh_clone)
    return to


def not_in_a_fresh_clone(folder: str, names: list[str]) -> set[str]:
    in_root = NOT_IN_ITS_ROOT if Path(folder) == REPOSITORY else set()
    return NOT_IN_A_FRESH_CLONE(folder, names) | in_root


class FreshMachine:
    """A minimal system of this machine's release, with a clone of the project in /vagrant.

    Each command runs in mount and pid namespaces of its own: it leaves no mount behind, and killing it kills every
    process that it started.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        # Few of the installed modules are ever imported here.
        self.environment = carried_environment() | {"PIP_NO_COMPILE": "1"}
        trust_no_power_cut(root)
        unpack_base_system(root)
        carry_settings(root)
        self.binds = carry_local_packages(root, self.environment)
        copy_clone(root / "vagrant")

    def start(self, *command: str, **variables: str) -> subprocess.Popen[str]:
        """Start a command inside, with these environment variables besides the carried ones."""
        private = ("unshare", "--mount", "--pid", "--fork", "--kill-child=KILL")
        entering = ("bash", "-c", ENTER, "enter", str(self.root), " ".join(self.binds))
        return subprocess.Popen(
            (*private, *entering, *command),
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside to its end."""
        process = self.start(*command, **variables)
        output, errors = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, output, errors)


def carried_environment() -> dict[str, str]:
    carried = {name: value for name, value in os.environ.items() if CARRIED_VARIABLES.fullmatch(name)}
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return carried | {"PATH": path, "HOME": "/root", "LANG": "C.UTF-8"}


def roomy_folder() -> str:
    """A folder in memory if there is plenty, because writing and deleting a system keeps a disk busy for minutes."""
    available_kib = re.search(r"^MemAvailable: *(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    room = min(int(available_kib[1]) << 10 if available_kib else 0, shutil.disk_usage(IN_MEMORY).free)
    return IN_MEMORY if room >= MACHINE_BYTES else ON_DISK


def trust_no_power_cut(root: Path) -> None:
    """Let dpkg install without waiting for the disk: this system is deleted anyway."""
    settings = root / "etc/dpkg/dpkg.cfg.d"
    settings.mkdir(parents=True)
    (settings / "no-sync").write_text("force-unsafe-io\n")


def unpack_base_system(root: Path) -> None:
    codename = subprocess.check_output(("bash", "-c", ". /etc/os-release; echo $VERSION_CODENAME"), text=True).strip()
    sources = ("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", f"Codename: {codename}")
    mirrors = subprocess.check_output(sources, text=True).split()
    private = ("unshare", "--mount", "--pid", "--fork", "--kill-child=KILL")
    entering = ("bash", "-c", INSTALL, "install", str(root))
    debootstrap = ("debootstrap", "--variant=minbase", codename, str(root), *mirrors[:1])
    done = subprocess.run((*private, *entering, *debootstrap), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def carry_settings(root: Path) -> None:
    shutil.rmtree(root / "etc/apt")
    for name in CARRIED_FOLDERS:
        if Path(name).is_dir():
            shutil.copytree(name, f"{root}{name}", symlinks=True, dirs_exist_ok=True)
    for name in CARRIED_FILES:
        if Path(name).is_file():
            shutil.copy(name, f"{root}{name}")
    carry_certificates(root)
    for name in (".config/pip", ".pip"):
        if (Path.home() / name).is_dir():
            shutil.copytree(Path.home() / name, root / "root" / name)


def carry_certificates(root: Path) -> None:
    """Make this machine's own certificates survive the installation of the distribution's."""
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    if bundle.is_file():
        local = root / "usr/local/share/ca-certificates"
        local.mkdir(parents=True, exist_ok=True)
        shutil.copy(bundle, local / "this-machine.crt")


def carry_local_packages(root: Path, environment: dict[str, str]) -> list[str]:
    """Make mount points for the folders in pip's settings; a package index is beside the files that it lists."""
    settings = [*environment.values(), *(file.read_text() for file in pip_settings(root))]
    words = {word.removeprefix("file://") for text in settings for word in re.split(r"[\s='\",]+", text)}
    paths = [Path(word) for word in words if word.startswith("/") and Path(word).exists()]
    folders = {Path(*path.parts[:3]) for path in paths if not inside(root, path).exists()}
    for folder in folders:
        inside(root, folder).mkdir(parents=True)
    return sorted(map(str, folders))


def inside(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def pip_settings(root: Path) -> Iterator[Path]:
    candidates = (root / "etc/pip.conf", root / "root/.config/pip/pip.conf", root / "root/.pip/pip.conf")
    return (file for file in candidates if file.is_file())


@pytest.fixture
def readable_copy() -> Iterator[Path]:
    """A copy of the clone that every user can read and only its owner can write."""
    with tempfile.TemporaryDirectory(prefix="testbed-clone-") as folder:
        Path(folder).chmod(0o755)
        yield copy_clone(Path(folder) / "testbed")


@pytest.fixture(scope="session")
def fresh_machine() -> Iterator[FreshMachine]:
    if os.geteuid() != 0:
        pytest.skip("only root can make a file system of its own and enter it")
    with tempfile.TemporaryDirectory(prefix="testbed-machine-", dir=roomy_folder()) as folder:
        yield FreshMachine(Path(folder) / "root")
        # Much faster than Python's own way to delete a hundred thousand files.
        subprocess.run(("rm", "-rf", "--one-file-system", f"{folder}/root"), check=True)
