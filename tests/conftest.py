"""Which tests can run on this machine, and as which user."""

import os
import subprocess
from collections.abc import Callable
from functools import cache, partial
from typing import TypeVar

import pytest
from hypothesis import settings
from mininet.topo import Topo

from testbed.network import Network, sandbox
from tests.network.users import User, call_as, why_not

T = TypeVar("T")

# How long an example takes depends more on the machine's other load than on the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests that this kernel cannot run. The kernel is probed without the code under test."""
    if item.get_closest_marker("kernel") and (refusal := refused_namespaces()):
        pytest.skip(f"no namespaces here, neither as root nor with user namespaces: {refusal}")
    if item.get_closest_marker("vm") and not kernel_has_netem():
        pytest.skip("this kernel has no netem; bin/test runs these tests in a small virtual machine that has")


@pytest.fixture
def on_network() -> Callable[..., object]:
    """Return a function that builds a network in a sandbox, calls `look` with it there, and returns the result."""

    def look_at(topology: Topo, look: Callable[[Network], T], **options: object) -> T:
        def body() -> T:
            with Network(topology, **options) as built:
                return look(built)

        return sandbox.run(body)

    return look_at


@cache
def refused_namespaces() -> str:
    """Return the kernel's error when it refuses the namespaces of a sandbox; "" if it creates them."""
    return in_namespaces("--mount", "--pid", "--ipc", "--uts", "--fork", "true").stderr.strip()


@cache
def kernel_has_netem() -> bool:
    """Return whether the kernel has the queueing discipline that delays and drops packets."""
    return in_namespaces("tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms").returncode == 0


def in_namespaces(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `unshare` with a network namespace, and a user namespace where that is needed."""
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    return subprocess.run(["unshare", *as_root, "--net", *arguments], capture_output=True, text=True, check=False)


@pytest.fixture(params=list(User), ids=str, scope="session")
def user(request: pytest.FixtureRequest) -> User:
    """Run a test as root, and again as an ordinary user."""
    wanted = User(request.param)
    if reason := why_not(wanted):
        pytest.skip(reason)
    return wanted


@pytest.fixture
def as_user(user: User) -> Callable[[Callable[[], T]], T]:
    """Return a function that calls another in a process of this user, and returns its result or raises its error."""
    return partial(call_as, user)
