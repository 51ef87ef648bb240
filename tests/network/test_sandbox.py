"""A sandbox returns the result of its body, shows the body a machine of its own, and leaves nothing behind."""

import os
import pty
import resource
import select
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

import pytest

from testbed.network import Network, sandbox
from testbed.network.kernel.messages import new_link_of_kind
from testbed.network.kernel.netlink import NetlinkSocket
from testbed.network.kernel.syscalls import (
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWUSER,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    mount,
    unshare,
)
from testbed.network.sandbox import SandboxError, SandboxKilledError
from testbed.network.sandbox.sysctls import read_sysctl, write_sysctls
from tests.network.leftovers import child_of
from tests.network.users import FORK, REPOSITORY, User, call_as
from topologies.star import Star

pytestmark = pytest.mark.kernel

AsUser = Callable[[Callable[[], Any]], Any]

PATIENCE_S = 20
SETTINGS = {"net.ipv4.ip_forward": "1", "net.ipv4.tcp_retries2": "7", "net.ipv4.conf.default.rp_filter": "2"}


# Results and errors.


def test_result_of_body_is_returned(as_user: AsUser) -> None:
    result = {"text": "ä", "bytes": bytes(1 << 20), "none": None}
    assert as_user(lambda: sandbox.run(lambda: result)) == result


@pytest.mark.parametrize(
    "raised",
    [ValueError("wrong"), KeyError("k"), KeyboardInterrupt(), SystemExit(3), SystemExit("text"), AssertionError("a")],
    ids=repr,
)
def test_error_of_body_is_raised(raised: BaseException) -> None:
    with pytest.raises(type(raised)) as caught:
        sandbox.run(raiser_of(raised))
    assert caught.value.args == raised.args


def test_error_has_traceback_of_body() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        sandbox.run(lambda: 1 // 0)
    assert "lambda: 1 // 0" in str(caught.value.__cause__)


class UnpicklableError(Exception):
    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} {other}")


def test_unpicklable_error_is_shown() -> None:
    with pytest.raises(SandboxError, match="UnpicklableError cannot leave the sandbox") as caught:
        sandbox.run(raiser_of(UnpicklableError("a", "b")))
    assert "UnpicklableError: a b" in str(caught.value.__cause__)


def test_unpicklable_result_is_an_error() -> None:
    with pytest.raises(SandboxError, match="function cannot leave the sandbox"):
        sandbox.run(lambda: lambda: None)


def test_output_of_body_is_printed_once() -> None:
    done = run_python("print('before'); sandbox.run(lambda: print('inside')); print('after')")
    assert done.stdout.split() == ["before", "inside", "after"]


def test_broken_pipe_is_raised_once() -> None:
    program = """
        try: sandbox.run(lambda: print("lost"))
        except BrokenPipeError: sys.stderr.write("raised once\\n")
    """
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as unread:
        assert run_python(program, stdout=unread).stderr == "raised once\n"


def test_body_that_leaves_unwinds_nothing(as_user: AsUser) -> None:
    def body() -> None:
        try:
            subprocess.Popen(["sleep", "1000"])
            sandbox.leave(KeyError("left"))
        finally:
            print("unwound", flush=True)
            time.sleep(1000)

    def attempt() -> str:
        with pytest.raises(KeyError) as left:
            sandbox.run(body)
        return str(left.value)

    assert as_user(attempt) == "'left'"


def test_programs_in_body_open_what_it_has_open(as_user: AsUser) -> None:
    def body() -> str:
        folder = os.open("/proc", os.O_RDONLY | os.O_CLOEXEC)
        return subprocess.check_output(["cat", f"/proc/{os.getpid()}/fd/{folder}/sys/kernel/hostname"], text=True)

    assert as_user(lambda: sandbox.run(body)) == "testbed\n"


def test_killed_body_has_no_result(as_user: AsUser) -> None:
    with pytest.raises(SandboxKilledError, match="SIGKILL"):
        as_user(lambda: sandbox.run(lambda: os.kill(os.getpid(), signal.SIGKILL)))


def test_body_calling_os_exit_has_no_result() -> None:
    with pytest.raises(SandboxKilledError, match="exit status 0"):
        sandbox.run(lambda: os._exit(0))


def test_half_written_result_is_not_used() -> None:
    def body() -> bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        return bytes(1 << 20)

    with pytest.raises(SandboxKilledError, match="exit status 70"):
        sandbox.run(body)


def test_process_with_threads_is_refused() -> None:
    done = threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()
    try:
        with pytest.raises(SandboxError, match="threads"):
            sandbox.run(lambda: None)
    finally:
        done.set()
        other.join()


def test_refused_ordinary_user_gets_advice(as_user: AsUser, user: User) -> None:
    if user is User.ROOT:
        pytest.skip("root needs no user namespace")

    def scenario() -> None:
        uid = os.getuid()
        unshare(CLONE_NEWUSER)
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/sys/user/max_user_namespaces").write_text("0")  # only in this namespace and those inside it
        sandbox.run(lambda: None)

    with pytest.raises(SandboxError, match=r"ordinary users cannot create namespaces here .*: run with sudo, or allow"):
        as_user(scenario)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can imitate a container")
def test_refused_root_of_a_container_gets_advice() -> None:
    def scenario() -> None:
        enter_container()
        Path("/proc/sys/user/max_net_namespaces").write_text("0")  # only in this namespace and those inside it
        sandbox.run(lambda: None)

    with pytest.raises(SandboxError, match=r"root cannot create namespaces here .*: start the container with --priv"):
        call_as(User.ROOT, scenario)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can imitate a container")
def test_container_with_a_read_only_sys_has_sandboxes() -> None:
    def scenario() -> list[str]:
        enter_container()
        with pytest.raises(PermissionError):
            mount("sysfs", "/sys", "sysfs")
        return sandbox.run(lambda: names("/sys/class/net"))

    assert call_as(User.ROOT, scenario) == ["lo"]


def enter_container() -> None:
    """Enter a user namespace whose only sysfs is read-only, as in a container without `--privileged`."""
    unshare(CLONE_NEWNS | CLONE_NEWNET)
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    subprocess.run(("umount", "--lazy", "/sys"), check=True)
    mount("sysfs", "/sys", "sysfs", MS_RDONLY)
    unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET)
    Path("/proc/self/uid_map").write_text("0 0 1")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/gid_map").write_text("0 0 1")


# What the body sees.


def test_body_has_namespaces_of_its_own(as_user: AsUser) -> None:
    def look() -> dict[str, object]:
        return {
            "pid": os.getpid(),
            "processes": sorted(path.name for path in Path("/proc").glob("[0-9]*")),
            "interfaces": [name for _, name in socket.if_nameindex()],
            "/sys/class/net": names("/sys/class/net"),
            "/run": names("/run"),
            "name": socket.gethostname(),
            "inside": sandbox.inside_sandbox(),
        }

    assert as_user(lambda: sandbox.run(look)) == {
        "pid": 2,
        "processes": ["1", "2"],
        "interfaces": ["lo"],
        "/sys/class/net": ["lo"],
        "/run": ["netns"],
        "name": "testbed",
        "inside": True,
    }
    assert not sandbox.inside_sandbox()


def test_body_sees_the_control_groups(as_user: AsUser) -> None:
    groups = Path("/sys/fs/cgroup")

    def scenario() -> tuple[list[str], list[str]]:
        if os.geteuid() == 0 and not any(groups.iterdir()):
            mount("cgroup2", str(groups), "cgroup2")
        return look(), sandbox.run(look)

    def look() -> list[str]:
        return names(groups)

    outside, inside = as_user(scenario)
    assert inside == outside


def test_sandbox_works_in_a_sandbox(as_user: AsUser) -> None:
    assert as_user(lambda: sandbox.run(lambda: sandbox.run(lambda: exchange("nested")))) == "nested"


def test_machine_is_not_changed(as_user: AsUser) -> None:
    """Not even while the body changes everything."""

    def look() -> dict[str, object]:
        return {
            "interfaces": socket.if_nameindex(),
            "name": socket.gethostname(),
            "/run": names("/run"),
            "mounts": Path("/proc/self/mountinfo").read_text(),
            "settings": {name: read_sysctl(name) for name in SETTINGS},
        }

    def change_everything(pipe: Connection) -> None:
        with NetlinkSocket() as netlink:
            netlink.send([new_link_of_kind("veth", "leftover", 100)])
        socket.sethostname("changed")
        Path("/run/leftover").touch()
        mount("tmpfs", "/mnt", "tmpfs")
        write_sysctls(SETTINGS)
        pipe.send(look())
        idle()

    def scenario() -> tuple[object, object, object, object]:
        before = look()
        with forked(lambda pipe: sandbox.run(lambda: change_everything(pipe))) as (caller, pipe):
            inside, meanwhile = received(pipe), look()
            end(caller)
        return before, inside, meanwhile, look()

    before, inside, meanwhile, after = as_user(scenario)
    assert [name for name in before if before[name] == inside[name]] == []
    assert meanwhile == before
    assert after == before


def test_sandboxes_are_isolated_from_each_other() -> None:
    """All use the same addresses and ports, and each receives its own words."""
    words = [f"word {number}" for number in range(5)]

    def scenario(word: str, pipe: Connection, go: int) -> None:
        def body() -> str:
            pipe.send("ready")
            os.read(go, 1)
            return " ".join(exchange(word) for _ in range(3))

        pipe.send(sandbox.run(body))

    def one(number: int) -> list[str]:
        if number == len(words):
            os.write(let_go, bytes(number))
            return []
        with forked(lambda pipe: scenario(words[number], pipe, go)) as (_, pipe):
            assert received(pipe) == "ready"
            later = one(number + 1)
            return [received(pipe), *later]

    go, let_go = os.pipe()
    assert one(0) == [f"{word} {word} {word}" for word in words]


# Signals and ends.


def test_processes_of_body_end_with_it(as_user: AsUser) -> None:
    def scenario() -> bool:
        reader, writer = os.pipe()

        def body() -> None:
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    os.write(writer, b"!")
                    idle()
                os._exit(0)
            os.wait()
            await_condition(lambda: bool(select.select([reader], [], [], 0)[0]))

        sandbox.run(body)
        os.close(writer)
        return os.read(reader, 2) == b"!" and os.read(reader, 1) == b""

    assert as_user(scenario)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_to_caller_reaches_body_once(as_user: AsUser, number: signal.Signals) -> None:
    fence = signal.SIGHUP if number is signal.SIGTERM else signal.SIGTERM

    def note_signals(pipe: Connection) -> None:
        for each in (number, fence):
            signal.signal(each, lambda got, _frame: pipe.send(got))
        pipe.send("ready")
        idle()

    def scenario() -> list[int]:
        with forked(lambda pipe: sandbox.run(lambda: note_signals(pipe))) as (caller, pipe):
            assert received(pipe) == "ready"
            got = []
            for each in (number, fence):
                os.kill(caller, each)
                got.append(received(pipe))
            return got

    assert as_user(scenario) == [number, fence]


@pytest.mark.parametrize(
    ("number", "raised"),
    [(signal.SIGINT, "KeyboardInterrupt()"), (signal.SIGTERM, "SystemExit(143)"), (signal.SIGHUP, "SystemExit(129)")],
)
def test_signal_to_caller_ends_both(as_user: AsUser, number: signal.Signals, raised: str) -> None:
    def body(pipe: Connection) -> None:
        pipe.send("ready")
        idle()

    def scenario() -> str:
        with forked(lambda pipe: pipe.send(error_of(lambda: sandbox.run(lambda: body(pipe))))) as (caller, pipe):
            assert received(pipe) == "ready"
            os.kill(caller, number)
            return str(received(pipe))

    assert as_user(scenario) == raised


def test_signal_during_setup_is_not_lost() -> None:
    """It arrives when the keeper has just been forked, before any process forwards signals."""

    def interrupt_after_fork(caller: int) -> None:
        os.register_at_fork(after_in_parent=lambda: interrupt_if(os.getpid() == caller))

    def interrupt_if(is_caller: bool) -> None:
        if is_caller:
            os.kill(os.getpid(), signal.SIGINT)

    def scenario(pipe: Connection) -> None:
        interrupt_after_fork(os.getpid())
        pipe.send(error_of(lambda: sandbox.run(idle)))

    with forked(scenario) as (_, pipe):
        assert received(pipe) == "KeyboardInterrupt()"


def test_signal_handlers_of_caller_are_restored() -> None:
    def handler(*_: object) -> None: ...

    before = signal.signal(signal.SIGHUP, handler)
    try:
        sandbox.run(lambda: None)
        assert signal.getsignal(signal.SIGHUP) is handler
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_error_in_waiting_caller_ends_sandbox() -> None:
    def give_up(*_: object) -> NoReturn:
        raise TimeoutError

    def body(pipe: Connection) -> None:
        pipe.send("ready")
        idle()

    def scenario(pipe: Connection) -> None:
        signal.signal(signal.SIGALRM, give_up)
        pipe.send(error_of(lambda: sandbox.run(lambda: body(pipe))))
        pipe.send(child_of(os.getpid()))

    with forked(scenario) as (caller, pipe):
        assert received(pipe) == "ready"
        os.kill(caller, signal.SIGALRM)
        assert received(pipe) == "TimeoutError()"
        assert received(pipe) is None


# On a terminal.


def test_interactive_body_and_caller_read_terminal_in_turn() -> None:
    def session() -> None:
        print("got", sandbox.run(input, interactive=True), "inside")
        print("got", input(), "after")

    with at_terminal(session) as terminal:
        terminal.type("one\n")
        terminal.wait_for("got one inside")
        terminal.type("two\n")
        terminal.wait_for("got two after")


def test_ctrl_c_reaches_only_interactive_body() -> None:
    def body() -> None:
        try:
            print("ready", flush=True)
            idle()
        except KeyboardInterrupt:
            print("body interrupted", input(), flush=True)

    def session() -> None:
        sandbox.run(body, interactive=True)
        print("caller continues")

    with at_terminal(session) as terminal:
        terminal.wait_for("ready")
        terminal.type("\x03")
        terminal.type("once\n")
        terminal.wait_for("body interrupted once")
        terminal.wait_for("caller continues")


def test_ctrl_z_does_not_stop_interactive_body() -> None:
    def body() -> None:
        print("ready", flush=True)
        print("read", input(), flush=True)

    with at_terminal(lambda: sandbox.run(body, interactive=True)) as terminal:
        terminal.wait_for("ready")
        terminal.type("\x1a")
        terminal.type("on\n")
        terminal.wait_for("read on")


def test_ctrl_c_reaches_background_body_once() -> None:
    def body() -> None:
        signal.signal(signal.SIGINT, lambda *_: os.write(1, b"interrupted\n"))
        signal.signal(signal.SIGTERM, lambda *_: os.write(1, b"fence\n"))
        print("ready", flush=True)
        idle()

    with at_terminal(lambda: sandbox.run(body)) as terminal:
        terminal.wait_for("ready")
        terminal.type("\x03")
        terminal.wait_for("interrupted")
        os.kill(terminal.pid, signal.SIGTERM)
        terminal.wait_for("fence")
        assert terminal.shown.count("interrupted") == 1


def test_background_body_may_read_terminal() -> None:
    with at_terminal(lambda: print("got", sandbox.run(input))) as terminal:
        terminal.type("one\n")
        terminal.wait_for("got one")


# Helpers.


def raiser_of(error: BaseException) -> Callable[[], NoReturn]:
    def body() -> NoReturn:
        raise error

    return body


def error_of(function: Callable[[], object]) -> str:
    try:
        function()
    except BaseException as error:
        return repr(error)
    return "no error"


def run_python(program: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a Python program that has imported `sys` and `sandbox`."""
    program = "import sys\nfrom testbed.network import sandbox\n" + textwrap.dedent(program)
    options = {"stdout": subprocess.PIPE, **options}
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=False, **options
    )


def idle() -> NoReturn:
    """Wait for signals. A signal just before one long sleep would be handled only after it, so sleep is short."""
    while True:
        time.sleep(0.01)


def names(folder: str | Path) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def exchange(word: str) -> str:
    """Send a word from one host to another in a new network; return what arrives."""
    with Network(Star(n=2)) as network:
        one, other = network.hosts
        with other.inside(), socket.create_server((str(other.address), 8000)) as server:
            with one.inside():
                client = socket.create_connection(server.getsockname(), timeout=PATIENCE_S)
            accepted, _ = server.accept()
        with client, accepted:
            client.sendall(word.encode())
            return accepted.recv(100).decode()


@contextmanager
def forked(function: Callable[[Connection], object]) -> Iterator[tuple[int, Connection]]:
    """Call a function in a process that lasts as long as the block; yield its pid and what the function sends."""
    receiver, sender = FORK.Pipe(duplex=False)
    process = FORK.Process(target=function, args=(sender,))
    process.start()
    sender.close()
    try:
        yield process.pid or 0, receiver
    finally:
        process.kill()
        process.join()


def end(pid: int) -> None:
    """Kill a process and wait until it and its descendants are gone."""
    processes = [os.pidfd_open(each) for each in (pid, *(descendant(pid, depth) for depth in (1, 2, 3)))]
    os.kill(pid, signal.SIGKILL)
    for process in processes:
        assert select.select([process], [], [], PATIENCE_S)[0]
        os.close(process)


def received(connection: Connection) -> Any:
    assert connection.poll(PATIENCE_S), "nothing has arrived"
    return connection.recv()


def descendant(pid: int, depth: int) -> int:
    """Return the pid of a descendant; each process has one child: caller, keeper, init, body."""
    for _ in range(depth):
        pid = await_condition(partial(child_of, pid))
    return pid


def await_condition(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.001)
    return found


class Terminal:
    """The user's side of a terminal."""

    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid = pid
        self.shown = ""
        self._descriptor = descriptor

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def wait_for(self, text: str) -> None:
        while text not in self.shown:
            ready, _, _ = select.select([self._descriptor], [], [], PATIENCE_S)
            assert ready, f"{text!r} is not shown, but {self.shown!r}"
            self.shown += os.read(self._descriptor, 1 << 16).decode()


@contextmanager
def at_terminal(session: Callable[[], object]) -> Iterator[Terminal]:
    """Call a function in a process that has a terminal, as if a shell had started it."""
    pid, descriptor = pty.fork()
    if pid == 0:
        _be_session(session)
    try:
        yield Terminal(pid, descriptor)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(descriptor)


def _be_session(session: Callable[[], object]) -> NoReturn:
    try:
        sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
        session()
        sys.stdout.flush()
    finally:
        idle()  # the terminal loses unread output when its last process ends
