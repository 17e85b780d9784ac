"""A real Nominatim on loopback: its database, filled from an extract, and its server, which may be killed."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from tests.cluster import alone
from tests.everything import apt_install

from . import extract

_HERE = Path(__file__).parent
_VENV = Path(".venv-nominatim")
#: Debian's packages: the loader, PostGIS, and what PyICU is compiled with.
_PACKAGES = ["osm2pgsql", "postgresql", "postgis", "pkg-config", "g++", "libicu-dev", "python3-dev"]


def install() -> None:
    """Install Debian's packages where that may be, and Nominatim from its lock into .venv-nominatim/."""
    if not shutil.which("osm2pgsql") or not list(
        Path("/usr/share/postgresql").glob("*/extension/postgis.control")
    ):
        apt_install([*_PACKAGES, "postgresql-postgis"])
    lock = _HERE / "requirements.lock"
    done = _VENV / ".locked"
    if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run([sys.executable, "-m", "venv", "--clear", _VENV], check=True)
        quiet = ["-q", "--disable-pip-version-check"]
        subprocess.run([_VENV / "bin/pip", "install", *quiet, "--require-hashes", "-r", lock], check=True)
        done.touch()


class Nominatim:
    """One installation in a folder of its own; `host` answers while it runs."""

    def __init__(self, folder: Path, dsn: str, port: int) -> None:
        self.folder, self.host = folder, f"127.0.0.1:{port}"
        # What stands in a .env file of Nominatim: nothing of it is asked of this machine's own settings.
        self.environment = os.environ | {
            "NOMINATIM_DATABASE_DSN": dsn,
            "NOMINATIM_DATABASE_WEBUSER": "reader",
        }
        self._process: subprocess.Popen | None = None

    def fill(self, osm: Path) -> None:
        """Import an extract (.osm, .osm.pbf) into a database that Nominatim makes."""
        self._command("import", "--osm-file", str(osm), "--no-updates", "--offline", "--threads", "2")

    def start(self) -> None:
        """Serve on loopback; returns when it answers."""
        command = [(_VENV / "bin/nominatim").absolute(), "serve", "--server", self.host]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        while not self._answers():
            if self._process.poll() is not None:
                raise RuntimeError((self.folder / "server.log").read_text())
            time.sleep(0.1)

    def kill(self) -> None:
        """End the server at once, as a crash would."""
        assert self._process
        self._process.kill()
        self._process.wait()

    def wait(self) -> None:
        """Until the server ends."""
        assert self._process
        self._process.wait()

    def _answers(self) -> bool:
        connection = HTTPConnection(self.host, timeout=2)
        try:
            connection.request("GET", "/status")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def _command(self, *words: str) -> None:
        done = subprocess.run(
            [(_VENV / "bin/nominatim").absolute(), *words],
            cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stdout)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def running(osm: Path | None = None, port: int = 0) -> Iterator[Nominatim]:
    """A Nominatim that knows an extract, ours if none is named; gone at the end of the block."""
    install()
    with tempfile.TemporaryDirectory(prefix="register-nominatim-") as folder, alone() as (server,):
        if osm is None:
            osm = Path(folder, "extract.osm")
            extract.write(osm)
        subprocess.run(
            [server.bin / "createuser", "-h", server.folder, "-U", "postgres", "reader"], check=True
        )
        dsn = f"pgsql:dbname=nominatim;host={server.folder};user=postgres"
        nominatim = Nominatim(Path(folder), dsn, port or _free_port())
        nominatim.fill(osm.absolute())
        nominatim.start()
        try:
            yield nominatim
        finally:
            nominatim.kill()
