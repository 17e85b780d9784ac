"""The real server, as in production, and a client of it."""

import http.client
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
#: How often a page is asked for its median; a run that only tries the harness asks less.
TIMES = int(os.environ.get("TIMES", "9"))


@dataclass(frozen=True)
class Server:
    """A running gunicorn: its port and the number of its first process."""

    port: int
    pid: int

    def client(self, person: Any = None) -> "Client":
        return Client(self.port, signed_in(person) if person else {})


@contextmanager
def server() -> Iterator[Server]:
    """gunicorn with the settings of ``deploy/``, on a port of its own, ended by its process number."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "PORT": str(port),
        "BASE_URL": f"http://{HOST}:{port}",
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "LOG_LEVEL": "ERROR",
    }
    log = Path(os.environ["DATA_DIR"], "server.log")
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", ROOT / "deploy/gunicorn.conf.py", "registry.wsgi"],
            cwd=ROOT,
            env=environment,
            stderr=errors,
            start_new_session=True,
        )
    try:
        for _try in range(300):
            if process.poll() is not None:
                raise RuntimeError(log.read_text()[-2000:])
            try:
                Client(port, {}).get("/bench/nothing")
                break
            except OSError:
                time.sleep(0.1)
        yield Server(port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def signed_in(person: Any) -> dict[str, str]:
    """The cookies of somebody who signed in, and has a second factor."""
    from allauth.mfa.models import Authenticator
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    Authenticator.objects.get_or_create(user=person, type=Authenticator.Type.TOTP, defaults={"data": {}})
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return {"sessionid": str(session.session_key), "csrftoken": secrets.token_hex(16)}


class Client:
    """One connection that stays open."""

    def __init__(self, port: int, cookies: dict[str, str]) -> None:
        self.port, self.cookies = port, cookies
        self.headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        self.connection = http.client.HTTPConnection(HOST, port, timeout=600)

    def open(self, address: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
        """The answer of a page that must be there, its body unread."""
        asked = self.headers | (headers or {})
        try:
            self.connection.request("GET", address, headers=asked)
            response = self.connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # It was not used for longer than the server keeps it.
            self.connection.close()
            self.connection.request("GET", address, headers=asked)
            response = self.connection.getresponse()
        if response.status != 200:
            raise RuntimeError(f"{address}: {response.status} {response.read()[:300]!r}")
        return response

    def get(self, address: str) -> bytes:
        """The body of a page."""
        return self.open(address).read()

    def post(self, address: str, body: str) -> tuple[int, str]:
        """Status and Location of an answer to a form."""
        headers = self.headers | {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-CSRFToken": self.cookies["csrftoken"],
        }
        try:
            self.connection.request("POST", address, body, headers)
            response = self.connection.getresponse()
            response.read()
            return response.status, response.getheader("Location") or ""
        except (OSError, http.client.HTTPException):
            self.connection.close()
            return 0, ""

    def download(self, address: str) -> tuple[float, float, int, int]:
        """A file, thrown away: seconds to its first data row and to its end, rows, bytes."""
        began = time.perf_counter()
        response = self.open(address)
        head, first, lines, size = b"", 0.0, 0, 0
        while data := response.read1(1 << 18):
            size += len(data)
            lines += data.count(b"\n")
            if not first:
                head += data
                if head.find(b"\n") != head.rfind(b"\n"):
                    first = time.perf_counter() - began
        response.close()
        return first, time.perf_counter() - began, lines - 1, size

    def seconds(self, address: str, share: float = 1, *, cold: bool = True) -> float:
        """The median of the seconds that a page takes, of TIMES (or a share of it). ``cold``: it was not
        asked for just before."""
        if cold and TIMES > 1:
            self.get(address)
        spent = []
        for _number in range(max(1, round(TIMES * share))):
            began = time.perf_counter()
            self.get(address)
            spent.append(time.perf_counter() - began)
        return median(spent)


# -- memory --------------------------------------------------------------------------------------------


def family(pid: int) -> set[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    found, waiting = set(), [pid]
    while waiting:
        one = waiting.pop()
        found.add(one)
        waiting += children.get(one, ())
    return found


def own_memory(pids: set[int]) -> float:
    """MiB that these processes hold for themselves; what lies in files or is shared is not counted."""
    total = 0
    for pid in pids:
        try:
            told = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        found = re.search(r"^Pss_Anon:\s+(\d+)", told, re.MULTILINE) or re.search(
            r"^Pss:\s+(\d+)", told, re.MULTILINE
        )
        total += int(found[1]) if found else 0
    return total / 1024


class Peak:
    """The most that processes hold, and any other figure grows to, while the block runs."""

    def __init__(self, *pids: int, every: float = 0.1, also: Any = None) -> None:
        self.pids, self.every, self.also = pids, every, also
        self.idle = self.most = self.other = 0.0

    def _now(self) -> float:
        return own_memory(set().union(*(family(pid) for pid in self.pids))) if self.pids else 0.0

    def __enter__(self) -> "Peak":
        self.idle = self.most = self._now()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def _sample(self) -> None:
        while not self._stop.wait(self.every):
            self.most = max(self.most, self._now())
            if self.also is not None:
                self.other = max(self.other, self.also())

    def __exit__(self, *error: Any) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def over_idle(self) -> float:
        return self.most - self.idle
