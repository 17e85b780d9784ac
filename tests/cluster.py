"""A throwaway PostgreSQL: `python -m tests.cluster run [--replica] -- CMD …` runs CMD with DATABASE_URL
naming it, and DATABASE_REPLICA_URL naming a second server that follows it by streaming replication."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote


def programs() -> Path | None:
    """The folder of the newest PostgreSQL server on the machine."""
    if found := shutil.which("postgres"):
        return Path(found).resolve().parent
    servers = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    return max((server.parent for server in servers), key=lambda bin: int(bin.parent.name), default=None)


class Server:
    """A server that listens on a socket in a folder of its own; it forgives no loss of power, and is made
    for tests alone."""

    def __init__(self, *options: str) -> None:
        bin = programs()
        if not bin:
            raise FileNotFoundError("There is no PostgreSQL server on this machine.")
        self.bin = bin
        self.folder = Path(tempfile.mkdtemp(prefix="register-cluster-"))
        self.data = self.folder / "data"
        places = [f"unix_socket_directories={self.folder}", "listen_addresses="]
        quick = ["fsync=off", "full_page_writes=off", "synchronous_commit=off", "jit=off"]
        quick.append("wal_retrieve_retry_interval=200ms")
        self.options = [word for option in (*places, *quick, *options) for word in ("-c", option)]
        # PostgreSQL refuses to run as root.
        self.user: dict = {}
        if os.getuid() == 0:
            postgres = pwd.getpwnam("postgres")
            os.chown(self.folder, postgres.pw_uid, postgres.pw_gid)
            self.user = {"user": postgres.pw_uid, "group": postgres.pw_gid, "extra_groups": []}

    @property
    def url(self) -> str:
        return f"postgresql://postgres@{quote(str(self.folder), safe='')}/postgres"

    def create(self) -> None:
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        self._make("initdb", "-D", self.data, *options)

    def follow(self, other: "Server") -> None:
        """Become a copy of another server that runs, and replay from then on what it writes."""
        options = ["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]
        self._make("pg_basebackup", "-D", self.data, "-d", other.url, *options)

    def _make(self, program: str, *arguments: str | Path) -> None:
        command = [self.bin / program, *arguments]
        subprocess.run(command, cwd=self.folder, stdout=subprocess.DEVNULL, check=True, **self.user)

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.data, *self.options],
                cwd=self.folder,
                stdout=subprocess.DEVNULL,
                stderr=log,
                # A Ctrl-C is for us; the server is stopped by us, when nobody uses it any more.
                start_new_session=True,
                **self.user,
            )
        while subprocess.run([self.bin / "pg_isready", "-q", "-h", self.folder]).returncode:
            if self.process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0.1)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT breaks off what runs, SIGQUIT drops everything and recovers at the next start."""
        self.process.send_signal(how)
        self.process.wait()


@contextmanager
def _running(*options: str, follows: Server | None = None) -> Iterator[Server]:
    """A server that runs until the end of the block, empty or following another."""
    server = Server(*options)
    try:
        if follows:
            server.follow(follows)
        else:
            server.create()
        server.start()
        try:
            yield server
        finally:
            # Nobody will miss what is in it.
            server.stop(signal.SIGQUIT)
    finally:
        shutil.rmtree(server.folder)


@contextmanager
def alone() -> Iterator[tuple[Server]]:
    """A server of one's own."""
    with _running() as server:
        yield (server,)


@contextmanager
def pair(*options: str) -> Iterator[tuple[Server, Server]]:
    """A primary and its replica, for whose sake the primary keeps what the replica still reads."""
    with _running(*options) as primary, _running("hot_standby_feedback=on", follows=primary) as replica:
        yield primary, replica


@contextmanager
def cluster() -> Iterator[str]:
    """The DATABASE_URL of a server of one's own."""
    with alone() as (server,):
        yield server.url


def main() -> int:
    match sys.argv[1:]:
        case ["run", "--", *command] if command:
            servers = alone()
        case ["run", "--replica", "--", *command] if command:
            servers = pair()
        case _:
            sys.exit(__doc__)
    # An end from outside unwinds like any other.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with servers as made:
        names = ("DATABASE_URL", "DATABASE_REPLICA_URL")
        urls = {name: server.url for name, server in zip(names, made, strict=False)}
        return subprocess.run(command, env=os.environ | urls).returncode


if __name__ == "__main__":
    sys.exit(main())
