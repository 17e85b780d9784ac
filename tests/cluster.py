"""A throwaway PostgreSQL: `python -m tests.cluster run -- CMD …` runs CMD with DATABASE_URL naming it."""

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


@contextmanager
def cluster() -> Iterator[str]:
    """The DATABASE_URL of a server that listens on a socket in a folder of its own, and ends with the block.

    It forgives no loss of power, and is made for tests alone."""
    bin = programs()
    if not bin:
        raise FileNotFoundError("There is no PostgreSQL server on this machine.")
    folder = Path(tempfile.mkdtemp(prefix="register-cluster-"))
    # PostgreSQL refuses to run as root.
    user: dict = {}
    if os.getuid() == 0:
        postgres = pwd.getpwnam("postgres")
        os.chown(folder, postgres.pw_uid, postgres.pw_gid)
        user = {"user": postgres.pw_uid, "group": postgres.pw_gid, "extra_groups": []}
    try:
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        data = folder / "data"
        subprocess.run(
            [bin / "initdb", "-D", data, *options], cwd=folder, stdout=subprocess.DEVNULL, check=True, **user
        )
        quick = ["fsync=off", "full_page_writes=off", "synchronous_commit=off", "jit=off"]
        places = [f"unix_socket_directories={folder}", "listen_addresses="]
        server = subprocess.Popen(
            [bin / "postgres", "-D", data, *(word for option in places + quick for word in ("-c", option))],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=(folder / "log").open("wb"),
            # A Ctrl-C is for us; the server is stopped below, when nobody uses it any more.
            start_new_session=True,
            **user,
        )
        try:
            ready = [bin / "pg_isready", "-q", "-h", folder]
            while subprocess.run(ready).returncode:
                if server.poll() is not None:
                    raise RuntimeError((folder / "log").read_text())
                time.sleep(0.1)
            yield f"postgresql://postgres@{quote(str(folder), safe='')}/postgres"
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()
    finally:
        shutil.rmtree(folder)


def run(command: list[str]) -> int:
    """Run the command beside a cluster; its exit code."""
    with cluster() as url:
        return subprocess.run(command, env=os.environ | {"DATABASE_URL": url}).returncode


if __name__ == "__main__":
    if sys.argv[1:3] != ["run", "--"] or not sys.argv[3:]:
        sys.exit(__doc__)
    # An end from outside unwinds like any other.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(run(sys.argv[3:]))
