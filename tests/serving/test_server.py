"""The server over real HTTP: what it answers, to whom, and how it ends."""

import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from testbed.experiment import Plan
from tests.page.swarms import EXPERIMENT
from tests.runfolder.runs import write_run
from tests.serving.servers import DEADLINE, SESSION, Server, served, trial_ends

NAME = "riders-20260102T030405Z"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def plan(runs: Path) -> Plan:
    """The plan of a run of two trials, the first of which has ended."""
    run = runs / NAME
    run.mkdir()
    plan = write_run(run, EXPERIMENT.replace("repeat: 3", "repeat: 1"))
    (run / "provenance.json").write_text(SESSION)
    trial_ends(run, plan.trials[0])
    return plan


@pytest.fixture(scope="module")
def server(runs: Path, plan: Plan) -> Iterator[Server]:
    with served(runs) as server:
        yield server


def until_version(events: Iterator[Any], version: int) -> Any:
    return next(state for state in events if state["version"] >= version)


def test_page_follows_the_trials_and_outlives_the_run(server: Server, runs: Path, plan: Plan) -> None:
    at = f"/run/{NAME}/"
    with server.events(f"{at}events") as events:
        assert until_version(events, 1)["done"] == 1
        first = server.ask(f"{at}overview")
        assert first.json()["trials"]["valid"] == 1
        old = first.json_header("testbed-parts")
        trial_ends(runs / NAME, plan.trials[1])
        assert until_version(events, 2)["done"] == 2
        new = server.ask(f"{at}overview").json_header("testbed-parts")
        for hashes in (old, new):  # a browser may still ask for what it was told before
            assert server.ask(f"{at}parts/{hashes['table-trials']}").json()["columns"]
        assert old["table-trials"] != new["table-trials"]
        assert server.ask(f"{at}replays/replay-{plan.trials[1].id}").json()["trial"] == plan.trials[1].id
        assert server.ask(f"{at}replays/replay-x").status == HTTPStatus.NOT_FOUND
        shutil.move(runs / NAME, runs / "away")
        assert "or it was removed" in next(state for state in events if state["trouble"])["trouble"]
        assert server.ask(at).status == HTTPStatus.OK
        shutil.move(runs / "away", runs / NAME)
        assert next(state for state in events if not state["trouble"])["done"] == 2


def test_list_tells_of_new_runs(server: Server, runs: Path) -> None:
    with server.events("/runs/events") as events:
        assert [run["name"] for run in next(events)["runs"]] == [NAME]
        new = runs / "other-20270102T030405Z"
        new.mkdir()
        write_run(new, EXPERIMENT)
        assert next(events)["runs"][0]["name"] == new.name
        shutil.rmtree(new)
        assert [run["name"] for run in next(events)["runs"]] == [NAME]


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/run/nothing/",
        "/run/..%2f..%2fetc/",
        f"/run/{NAME}/parts/plan.json",
        f"/run/{NAME}/parts/..%2fplan.json",
        f"/run/{NAME}/replays/..%2f..%2fplan.json",
        "/assets/served",
        "/assets/../page.html",
        "/assets/..%2fpage.html",
        "/assets/../../../../../../etc/passwd",
    ],
)
def test_nothing_else_is_found(server: Server, path: str) -> None:
    assert server.ask(path).status == HTTPStatus.NOT_FOUND


def test_every_answer_protects_its_reader(server: Server) -> None:
    for path in ("/", "/nothing", "/assets/main.js", f"/run/{NAME}/"):
        headers = server.ask(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


def test_foreign_names_and_other_methods_are_refused(server: Server) -> None:
    assert server.ask("/", Host=f"localhost:{server.port}").status == HTTPStatus.OK
    assert server.ask("/", Host="rebound.example.org").status == HTTPStatus.FORBIDDEN
    assert server.ask("/runs/events", Host="rebound.example.org").status == HTTPStatus.FORBIDDEN
    assert server.ask("/", "POST").status == HTTPStatus.METHOD_NOT_ALLOWED
    assert server.ask("/", "HEAD").body == b""


def test_elsewhere_needs_the_token_and_ends_with_listeners(runs: Path, plan: Plan) -> None:
    with served(runs, NAME, "--bind", "0.0.0.0") as server:  # noqa: S104
        found = re.fullmatch(rf"http://[^/]+:\d+(/run/{NAME}/)\?token=([\w-]{{32,}})", server.opened)
        assert found is not None
        path, token = found.groups()
        assert server.ask(path).status == HTTPStatus.FORBIDDEN
        assert server.ask(f"{path}?token={token[:-1]}x").status == HTTPStatus.FORBIDDEN
        led = server.ask(f"{path}?token={token}")
        assert (led.status, led.headers["location"]) == (HTTPStatus.SEE_OTHER, path)
        cookie = led.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert server.ask(path, Cookie=cookie.partition(";")[0], Host="lab.example.org").status == HTTPStatus.OK
        with server.events(f"/runs/events?x=1&token={token}") as _redirected:
            pass
        connection = socket.create_connection(("127.0.0.1", server.port))
        request = f"GET /runs/events HTTP/1.1\r\nHost: x\r\nCookie: {cookie.partition(';')[0]}\r\n\r\n"
        connection.sendall(request.encode())
        assert b"text/event-stream" in connection.recv(4096)
    connection.close()


@pytest.mark.parametrize(
    ("path", "count"),
    [
        pytest.param(f"/run/{NAME}/events", 1, id="a run that is being read for the first time"),
        pytest.param("/assets/style.css", 500, id="a browser that takes nothing of some megabytes"),
    ],
)
def test_ends_in_silence_while_a_request_is_open(runs: Path, plan: Plan, path: str, count: int) -> None:
    with served(runs, end=signal.SIGTERM) as server, socket.socket() as deaf, server.events("/runs/events"):
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", server.port))
        deaf.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode() * count)
        for _ in range(min(count, 20)):  # so that all that fits into buffers is there
            assert server.ask("/").status == HTTPStatus.OK
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(DEADLINE)


def test_port_that_is_taken_is_explained(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "testbed", "serve", "--runs", str(tmp_path), "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"port {port} of 127.0.0.1 is in use" in done.stderr
    assert "choose one with --port" in done.stderr
