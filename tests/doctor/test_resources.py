"""What this machine has left, as the kernel says it."""

import os
import resource
import shutil
from pathlib import Path

from testbed.doctor.resources import find_resources


def test_resources_are_those_of_this_machine(tmp_path: Path) -> None:
    found = find_resources(tmp_path / "not" / "made" / "yet")
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert found.memory is not None
    assert 0 < found.memory < total
    assert found.memory_files is not None
    assert 0.4 * total < found.memory_files < 0.6 * total
    assert found.threads is not None
    assert 0 < found.threads < int(Path("/proc/sys/kernel/pid_max").read_text())
    assert found.namespaces == int(Path("/proc/sys/user/max_net_namespaces").read_text())
    assert found.open_files == resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert found.disk is not None
    assert 0 < found.disk <= shutil.disk_usage(tmp_path).total
    assert found.disk_place == str(tmp_path)
