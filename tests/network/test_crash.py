"""kill -9 of any process of a sandbox, at any time, leaves nothing on the machine."""

import os
import random
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from testbed.network import sandbox
from testbed.network.kernel.syscalls import mount
from tests.network.crashes import (
    PHASES,
    TARGETS,
    Crash,
    crash_each,
    rehearse,
)
from tests.network.leftovers import Watch
from tests.network.users import User, call_as

pytestmark = pytest.mark.kernel

TIMES = 2

AsUser = Callable[[Callable[[], list[Crash]]], list[Crash]]

durations = cache(lambda user: call_as(user, rehearse))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("phase", PHASES)
def test_kill_leaves_nothing_behind(as_user: AsUser, user: User, phase: str, target: str) -> None:
    chance = random.Random(f"{user} {phase} {target}")
    moments = [chance.uniform(0, durations(user)[phase]) for _ in range(TIMES)]
    crashes = as_user(lambda: crash_each(phase, target, moments))
    assert [crash.leftovers for crash in crashes] == [[]] * TIMES
    if target != "command":
        assert ["the sandbox was killed from outside (SIGKILL)" in crash.complaint for crash in crashes] == [
            True
        ] * TIMES


def test_watch_sees_new_processes_mounts_and_files() -> None:
    """Runs in a sandbox, which stands in for the machine, so that the real one is left alone."""

    def body() -> list[str]:
        with tempfile.TemporaryDirectory(dir="/run") as temporary:
            watch = Watch(Path(temporary))
            (Path(temporary) / "file").touch()
            mount("tmpfs", "/mnt", "tmpfs")
            program = os.posix_spawnp("sleep", ["sleep", "infinity"], dict(watch.environment))
            held = os.open("/proc/self/ns/net", os.O_RDONLY)
            # The parent goes on a moment before the kernel shows the new program's arguments and environment.
            while not Path(f"/proc/{program}/environ").read_bytes():
                os.sched_yield()
            left = watch.leftovers()
            watch.end_processes()
            os.waitpid(program, 0)
            os.close(held)
            return [" ".join(word for word in line.split() if not word.strip(":").isdigit()) for line in left]

    left = sandbox.run(body)
    assert [line for line in left if not line.startswith(("file", "namespace"))] == [
        "mount tmpfs on /mnt",
        "process sleep infinity",
    ]
    assert any(line.endswith("/file") for line in left)
