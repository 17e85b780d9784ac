"""The environment is documented, and the documented production environment passes Django's own checks."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import DatabaseError, connections

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION = {
    line.partition("=")[0]: line.partition("=")[2]
    for line in (ROOT / "deploy/environment.example").read_text().splitlines()
    if line and not line.startswith("#")
}


def _read_by(path: str) -> set[str]:
    """The names that a file asks of the environment: env.str("NAME"), os.environ.get("NAME"), …["NAME"]."""
    names = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        match node:
            case ast.Call(func=ast.Attribute(value=owner), args=[ast.Constant(value=str(name)), *_]):
                pass
            case ast.Subscript(value=owner, slice=ast.Constant(value=str(name))):
                pass
            case _:
                continue
        if ast.unparse(owner) in ("env", "os.environ"):
            names.add(name)
    return names


def _clean(tmp_path: Path, **environment: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), **environment}


def _check(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py check` in a clean environment."""
    return subprocess.run(
        [sys.executable, "manage.py", "check", *arguments],
        cwd=ROOT,
        env=_clean(tmp_path, **environment),
        capture_output=True,
        text=True,
    )


def test_every_name_of_the_environment_is_in_the_table_and_no_other():
    table = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/operators.md").read_text(), re.M))
    read = set().union(*map(_read_by, ("registry/settings.py", "deploy/gunicorn.conf.py", "deploy/run")))
    assert read == table


def test_the_documented_production_environment_passes_djangos_checks(tmp_path):
    # A newer Django asks the database what it can do, so it must be one that is there.
    here = {"DATA_DIR": str(tmp_path), "DATABASE_URL": os.environ.get("DATABASE_URL", "")}
    environment = PRODUCTION | {"SECRET_KEY": "0123456789" * 6} | here
    checked = _check(tmp_path, "--deploy", "--fail-level", "WARNING", **environment)
    assert checked.returncode == 0, checked.stderr


def test_production_without_a_secret_refuses_to_start(tmp_path):
    checked = _check(tmp_path, BASE_URL="https://register.example.org")
    assert checked.returncode
    assert "SECRET_KEY must be set" in checked.stderr


def test_an_address_that_is_no_origin_is_refused(tmp_path):
    for address in (
        "register.example.org",
        "https://register.example.org/damage",
        "ftp://register.example.org",
    ):
        checked = _check(tmp_path, BASE_URL=address)
        assert checked.returncode
        assert "BASE_URL must be an origin" in checked.stderr


def test_a_replica_is_one_of_postgresql(tmp_path):
    checked = _check(tmp_path, DATABASE_REPLICA_URL="postgresql://register@replica/register")
    assert checked.returncode
    assert "DATABASE_REPLICA_URL names a replica of PostgreSQL" in checked.stderr


@pytest.mark.parametrize(("threads", "starts"), [("4", False), ("5", True)])
def test_downloads_leave_a_thread_for_pages_in_every_process(tmp_path, threads, starts):
    checked = subprocess.run(
        [
            sys.executable,
            "-m",
            "gunicorn",
            "--check-config",
            "-c",
            "deploy/gunicorn.conf.py",
            "registry.wsgi",
        ],
        cwd=ROOT,
        env=_clean(tmp_path, WEB_THREADS=threads, DOWNLOADS_AT_ONCE="4"),
        capture_output=True,
        text=True,
    )
    assert (checked.returncode == 0) == starts
    assert ("WEB_THREADS must exceed DOWNLOADS_AT_ONCE" in checked.stderr) != starts


def test_a_secret_is_drawn_once_and_kept_from_others(tmp_path):
    assert _check(tmp_path).returncode == 0
    secret = tmp_path / "secret-key"
    drawn = secret.read_text()
    assert len(drawn) >= 50
    assert secret.stat().st_mode & 0o777 == 0o600
    assert _check(tmp_path).returncode == 0
    assert secret.read_text() == drawn


@pytest.mark.django_db(transaction=True)
def test_the_reader_cannot_write():
    with connections["reader"].cursor() as cursor, pytest.raises(DatabaseError, match=r"read-?only"):
        cursor.execute("DELETE FROM django_session")


def test_sqlite_loses_nothing_at_a_power_cut(tmp_path):
    """The tests themselves run faster than that, so another process tells."""
    code = (
        "import django; django.setup()\n"
        "from django.db import connections\n"
        "for alias in ('default', 'reader'):\n"
        "    cursor = connections[alias].cursor()\n"
        "    for pragma in ('journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout', 'query_only'):\n"
        "        print(cursor.execute(f'PRAGMA {pragma}').fetchone()[0])\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=_clean(tmp_path, DJANGO_SETTINGS_MODULE="registry.settings"),
        capture_output=True,
        text=True,
    )
    full = "2"
    durable = ["wal", full, "1", "20000"]
    assert told.stdout.split() == [*durable, "0", *durable, "1"], told.stderr


def test_the_policy_lets_in_nobody_but_ourselves_and_the_tile_server(tmp_path):
    code = "from registry.settings import CONTENT_SECURITY_POLICY as policy; print(policy['DIRECTIVES'])"
    for tiles, others in (
        ("", set()),
        ("https://tiles.example.org/{z}/{x}/{y}.png", {"https://tiles.example.org"}),
    ):
        told = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=_clean(tmp_path, TILE_URL=tiles),
            capture_output=True,
            text=True,
            check=True,
        )
        directives = ast.literal_eval(told.stdout)
        assert directives["default-src"] == ["'none'"]
        assert set(directives.pop("img-src")) == {"'self'", "data:", "blob:"} | others
        assert {source for sources in directives.values() for source in sources} == {"'none'", "'self'"}
