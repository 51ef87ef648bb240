"""Which tests can run on this machine, and who runs them."""

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

# How long an example takes says more of what else the machine does than of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this kernel cannot run, and say why; the kernel is asked without the code that is to be tested."""
    if item.get_closest_marker("kernel") and (refusal := refused_namespaces()):
        pytest.skip(f"no namespaces here, neither as root nor with user namespaces: {refusal}")
    if item.get_closest_marker("vm") and not kernel_has_netem():
        pytest.skip("this kernel has no netem; bin/test runs these tests in a small virtual machine that has")


@pytest.fixture
def on_network() -> Callable[..., object]:
    """Build a network in a sandbox, look at it there, and return what was seen."""

    def look_at(topology: Topo, look: Callable[[Network], T], **options: object) -> T:
        def body() -> T:
            with Network(topology, **options) as built:
                return look(built)

        return sandbox.run(body)

    return look_at


@cache
def refused_namespaces() -> str:
    """What the kernel says when it is asked for the namespaces of a sandbox; nothing if it gives them."""
    return in_namespaces("--mount", "--pid", "--ipc", "--uts", "--fork", "true").stderr.strip()


@cache
def kernel_has_netem() -> bool:
    """Whether the kernel has the queueing discipline that delays and loses packets."""
    return in_namespaces("tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms").returncode == 0


def in_namespaces(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `unshare` for a network namespace, and a user namespace where that takes one."""
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    return subprocess.run(["unshare", *as_root, "--net", *arguments], capture_output=True, text=True, check=False)


@pytest.fixture(params=list(User), ids=str, scope="session")
def user(request: pytest.FixtureRequest) -> User:
    """Root, and then an ordinary user."""
    wanted = User(request.param)
    if reason := why_not(wanted):
        pytest.skip(reason)
    return wanted


@pytest.fixture
def as_user(user: User) -> Callable[[Callable[[], T]], T]:
    """Call a function as each of the users, in a process of its own; it returns, or raises, what the function does."""
    return partial(call_as, user)
