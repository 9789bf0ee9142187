"""``relapse serve`` as a process of its own, under granian."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from granian.server import Server
from tests.support.service import ROUTE, Client
from tests.support.small import Small, request_of

from relapse_risk.cli.service import serve
from relapse_risk.errors import UsageError
from relapse_serve.app import create_app
from relapse_serve.settings import ServiceSettings
from relapse_serve.worker import work

SERVE = [sys.executable, "-m", "relapse_risk.cli", "serve"]
CANARY = "李秀兰"


@dataclass
class Process:
    """A running service."""

    port: int
    process: subprocess.Popen[str]
    log: Path

    def post(self, body: bytes, timeout: float = 30) -> httpx.Response:
        return httpx.post(f"http://127.0.0.1:{self.port}{ROUTE}", content=body, timeout=timeout)

    def wait_until_closed(self, seconds: float = 30) -> None:
        """Wait until no new caller is let in."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except ConnectionRefusedError:
                return
            time.sleep(0.05)
        raise AssertionError(f"still listening {seconds} s after the signal to stop")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def started(small: Small, log: Path) -> Iterator[Process]:
    port = free_port()
    command = [*SERVE, "--models", str(small.models), "--model", small.version, "--port", str(port)]
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, text=True)
    try:
        until = time.monotonic() + 180  # it starts in some seconds where nothing else runs
        while "Started worker" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, f"not started yet:\n{log.read_text()}"
            time.sleep(0.1)
        yield Process(port, process, log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="module")
def service(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with started(small, tmp_path_factory.mktemp("log") / "log") as process:
        yield process


@pytest.fixture(scope="module")
def request_body(small: Small) -> bytes:
    ids = sorted(set(small.records.table("households")["household_id"].to_pylist()))[:20]
    return json.dumps(request_of(small.records, ids, small.as_of)).encode()


@pytest.mark.xdist_group("process")
def test_a_running_service_answers_as_the_one_called_in_process(
    service: Process, client: Client, request_body: bytes
) -> None:
    answer = service.post(request_body)
    assert answer.status_code == 200
    assert answer.content == client.post(request_body).content


@pytest.mark.xdist_group("process")
def test_a_refused_request_leaves_no_trace_in_the_log(service: Process) -> None:
    body = json.dumps({"as_of": CANARY, CANARY: CANARY}).encode()
    assert service.post(body).status_code == 422
    assert service.post(b"[" * 5000 + CANARY.encode()).status_code == 400
    assert service.post(CANARY.encode() * (4 * 2**18)).status_code == 413
    log = service.log.read_text()
    assert CANARY not in log
    assert json.dumps(CANARY)[1:-1] not in log


@pytest.mark.xdist_group("process")
def test_a_second_service_at_the_same_address_is_refused(service: Process, small: Small) -> None:
    command = [*SERVE, "--models", str(small.models), "--port", str(service.port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "cannot listen at" in done.stderr
    assert "--port" in done.stderr


@pytest.mark.xdist_group("process")
def test_a_half_open_header_is_closed(service: Process, request_body: bytes) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as slow:
        slow.sendall(b"POST /v1/scores HTTP/1.1\r\nHost: x\r\n")
        while slow.recv(1000):  # ends when the service closes; times out where it never does
            pass
    assert service.post(request_body).status_code == 200


@pytest.mark.xdist_group("process")
def test_sigterm_ends_the_service_cleanly(small: Small, request_body: bytes, tmp_path: Path) -> None:
    """A request begun before the signal, and sent to its end after it, is answered whole."""
    length = len(request_body)
    head = f"POST {ROUTE} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
    with started(small, tmp_path / "log") as process:
        with socket.create_connection(("127.0.0.1", process.port), timeout=30) as begun:
            begun.sendall(head.encode())
            assert begun.recv(1000).startswith(b"HTTP/1.1 100"), "the service reads the body"
            process.process.send_signal(signal.SIGTERM)
            process.wait_until_closed()
            begun.sendall(request_body)
            answer = http.client.HTTPResponse(begun)
            answer.begin()
            assert answer.status == 200
            assert len(json.loads(answer.read())["scores"]) == 20
        assert process.process.wait(timeout=30) == 0
        assert "panic" not in process.log.read_text()


@pytest.mark.parametrize(("ends", "code", "printed"), [("0", 0, "served\n"), ("1 / 0", 1, "served\ntaken apart\n")])
def test_a_worker_process_ends_without_taking_the_interpreter_apart(ends: str, code: int, printed: str) -> None:
    """What still runs in it would be stopped in its middle, which aborts the process now and then."""
    script = f"""
import atexit
from granian.server import Server
from relapse_serve.worker import work

def serve(what):
    print(what)
    {ends}

atexit.register(print, "taken apart")
Server._spawn_asgi_lifespan_worker = staticmethod(serve)
work("served")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (code, printed)


def test_the_service_s_processes_are_such_workers(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: dict[str, object] = {}
    monkeypatch.setattr(Server, "serve", lambda _, **options: handed.update(options))
    monkeypatch.setattr(multiprocessing, "set_start_method", lambda *_, **__: None)
    for name in ("RELAPSE_MODELS", "RELAPSE_MODEL"):
        monkeypatch.setenv(name, "")  # to be as it was when the test is over
    serve(model=small.version, models=small.models, port=free_port())
    assert handed == {"spawn_target": work}


@pytest.mark.xdist_group("process")
@pytest.mark.parametrize("damaged", [False, True])
def test_a_model_that_is_not_there_or_damaged_is_refused_in_words(
    small: Small, tmp_path: Path, *, damaged: bool
) -> None:
    if damaged:
        folder = tmp_path / small.version
        folder.mkdir()
        (folder / "manifest.json").write_text("{}")
    command = [*SERVE, "--models", str(tmp_path), "--model", small.version, "--port", str(free_port())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == (6 if damaged else 5)
    assert ("the manifest" if damaged else f"no model {small.version}") in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_service_takes_a_version_and_no_path_however_it_is_started(small: Small) -> None:
    path = f"../{small.models.name}/{small.version}"
    with pytest.raises(UsageError, match="is not a model version"):
        create_app(ServiceSettings(models=small.models, model=path))
