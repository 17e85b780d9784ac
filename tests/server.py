"""The register as it is deployed: gunicorn with two workers, on a port and in a data folder of its own."""

import http.client
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Register:
    environment: dict[str, str]
    port: int
    process: subprocess.Popen
    log: Path

    @property
    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def limit_files(self, size: int) -> None:
        """As if the disk were full once a file of the server's has this size."""
        for pid in self.workers:
            _soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))

    def ask(
        self, path: str, *, session: str = "", data: dict[str, Any] | None = None
    ) -> tuple[int, str, Any]:
        """Status, body and headers of one request over a connection of its own."""
        headers = {"Cookie": f"sessionid={session}; csrftoken={'t' * 32}"}
        body = None
        if data is not None:
            body = urlencode(data | {"csrfmiddlewaretoken": "t" * 32}, doseq=True)
            headers |= {"Content-Type": "application/x-www-form-urlencoded"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET" if data is None else "POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            connection.close()

    def begin(self, path: str, *, buffer: int = 4096) -> socket.socket:
        """Ask for a file and read none of it: the socket takes ``buffer`` bytes and no more."""
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.settimeout(30)
        client.connect(("127.0.0.1", self.port))
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode())
        return client


@contextmanager
def serve(**environment: str) -> Iterator[Register]:
    """The register with this environment, until the end of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="register-server-") as folder:
        settings = os.environ | {
            "BASE_URL": f"http://127.0.0.1:{port}",
            "DATA_DIR": folder,
            "DJANGO_SETTINGS_MODULE": "tests.server_settings",
            "PORT": str(port),
            "SECOND_FACTOR_REQUIRED": "false",
            "SECRET_KEY": "tests",
            **environment,
        }
        log = Path(folder, "log")
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "registry.wsgi"],
                cwd=ROOT,
                env=settings,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        register = Register(settings, port, process, log)
        try:
            until(lambda: process.poll() is not None or _answers(port), within=60)
            if process.poll() is not None:
                raise RuntimeError(log.read_text())
            yield register
        finally:
            # Downloads that nobody reads are not waited for.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def until(true: Any, *, within: float = 20) -> None:
    """Wait until something is true; fail if it does not become so."""
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end, "It did not happen."
        time.sleep(0.05)
